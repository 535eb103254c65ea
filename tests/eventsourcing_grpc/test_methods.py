"""Which methods of an application may be called from outside."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping, Sequence
from uuid import UUID

import pytest
from eventsourcing.application import Application
from eventsourcing.dcb.application import DCBApplication
from eventsourcing.system import ProcessApplication, System
from eventsourcing.tests.application import BankAccounts

from eventsourcing_grpc.errors import ArgumentsError, MethodNotExposedError, UnknownMethodError
from eventsourcing_grpc.example import Orders, Reservations
from eventsourcing_grpc.methods import ExposedMethods, MethodKind, command, query


class Catalogue:
    """A mix-in that knows nothing of the library."""

    def search(self, words: str) -> list[str]:
        """Finds things.

        In no order.
        """
        return [words]


class Shop(Catalogue, Application[UUID]):
    """Has one of everything that may be found in a class."""

    opening_hours = "9 to 5"

    @query
    def get_price(self, item: str, /, amount: int = 1, *, currency: str = "EUR") -> int:
        """Tells a price."""
        return amount * len(item + currency)

    @command
    @staticmethod
    def greet(name: str) -> str:
        return f"Hello {name}"

    @classmethod
    @query
    def get_kind(cls) -> str:
        return cls.__name__

    @functools.lru_cache(maxsize=1)  # noqa: B019 (that such methods work is what is tested)
    def count_slowly(self, upto: int) -> int:
        return upto

    def order(self, *items: str, **amounts: int) -> int:
        return len(items) + len(amounts)

    async def deliver(self) -> None:
        """Servers run no event loop for applications."""

    @property
    def takings(self) -> int:
        return 1

    @functools.cached_property
    def debts(self) -> int:
        return 1

    class Till:
        """Nested."""

    def save(self, *objs: object, **kwargs: object) -> list[object]:  # type: ignore[override]
        return []

    def _count_money(self) -> int:
        return 1


class CornerShop(Shop):
    """Overrides what another class of the author's has marked."""

    def get_price(self, item: str, /, amount: int = 2, *, currency: str = "EUR") -> int:
        return 1

    @query
    @staticmethod
    def greet(name: str) -> str:
        """Says hello."""
        return name

    def close_early(self) -> None:
        """Closes early."""

    get_kind = None  # type: ignore[assignment]


def names(app_class: type) -> list[str]:
    return [method.name for method in ExposedMethods(app_class)]


def test_methods_of_the_author_are_exposed_in_the_order_of_their_definition() -> None:
    assert names(Orders) == ["create_new_order", "get_order", "is_order_reserved", "is_order_paid"]
    assert names(Shop) == ["search", "get_price", "greet", "get_kind", "count_slowly", "order"]
    assert names(CornerShop) == [
        "search",
        "get_price",
        "greet",
        "count_slowly",
        "order",
        "close_early",
    ]


@pytest.mark.parametrize(
    "app_class", [Application, ProcessApplication, DCBApplication, Reservations]
)
def test_nothing_of_the_library_is_exposed(app_class: type) -> None:
    assert names(app_class) == []


def test_applications_of_the_librarys_tests_are_authors_code() -> None:
    assert names(BankAccounts) == ["open_account", "credit_account", "get_balance", "get_account"]


def test_application_that_was_made_a_leader_exposes_the_same_methods() -> None:
    leader_class: type = System([[Shop]]).leader_cls("Shop")
    assert leader_class is not Shop
    assert names(leader_class) == names(Shop)
    assert ExposedMethods(leader_class).get("get_price").application_name == "Shop"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("_count_money", "is private"),
        ("__class__", "is private"),
        ("_no_such_thing", "is private"),
        ("takings", "is a property"),
        ("debts", "is a property"),
        ("Till", "is a class"),
        ("opening_hours", "is a class variable"),
        ("deliver", "is a coroutine function"),
        ("save", "belongs to the eventsourcing library"),
        ("close", "belongs to the eventsourcing library"),
        ("repository", "belongs to the eventsourcing library"),
        ("construct_mapper", "belongs to the eventsourcing library"),
        ("snapshotting_intervals", "belongs to the eventsourcing library"),
    ],
)
def test_refusal_says_why(name: str, reason: str) -> None:
    with pytest.raises(MethodNotExposedError) as caught:
        ExposedMethods(Shop).get(name)
    assert str(caught.value) == f"Shop.{name} can't be called: it {reason}"


def test_policy_can_not_be_called() -> None:
    with pytest.raises(MethodNotExposedError, match="belongs to the eventsourcing library"):
        ExposedMethods(Orders).get("policy")


def test_methods_of_other_base_classes_are_not_exposed() -> None:
    class Worker(Application[UUID], threading.Thread):
        """Is a thread, too."""

    with pytest.raises(MethodNotExposedError, match=r"belongs to the class threading\.Thread"):
        ExposedMethods(Worker).get("run")


def test_unknown_name_is_answered_with_a_near_one() -> None:
    with pytest.raises(UnknownMethodError) as caught:
        ExposedMethods(Orders).get("creat_new_order")
    assert str(caught.value) == (
        "Orders has no method creat_new_order: did you mean 'create_new_order'?"
    )


@pytest.mark.parametrize("name", ["", "a b\n", "x" * 100_000, "get\x1b[31m", "save "])
def test_hostile_name_is_answered_in_one_short_line(name: str) -> None:
    with pytest.raises(UnknownMethodError) as caught:
        ExposedMethods(Orders).get(name)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 100


def test_what_a_subclass_hides_can_not_be_called() -> None:
    with pytest.raises(MethodNotExposedError, match="is a class variable"):
        ExposedMethods(CornerShop).get("get_kind")


def test_methods_without_a_mark_are_commands() -> None:
    kinds = {method.name: method.kind for method in ExposedMethods(Shop)}
    assert kinds == {
        "get_price": MethodKind.QUERY,
        "greet": MethodKind.COMMAND,
        "get_kind": MethodKind.QUERY,
        "count_slowly": MethodKind.COMMAND,
        "order": MethodKind.COMMAND,
        "search": MethodKind.COMMAND,
    }


def test_overriding_method_keeps_mark_and_docstring_unless_it_has_its_own() -> None:
    methods = ExposedMethods(CornerShop)
    assert methods.get("get_price").kind is MethodKind.QUERY
    assert methods.get("get_price").docstring == "Tells a price."
    assert methods.get("greet").kind is MethodKind.QUERY
    assert methods.get("greet").docstring == "Says hello."


def test_mark_survives_decorators_that_wrap() -> None:
    class Wrapped(Application[UUID]):
        """Has a method with two decorators."""

        @functools.lru_cache(maxsize=1)  # noqa: B019 (see above)
        @query
        def get(self) -> int:
            return 1

    assert ExposedMethods(Wrapped).get("get").kind is MethodKind.QUERY


def test_only_methods_can_be_marked() -> None:
    with pytest.raises(TypeError, match="@query marks methods, not property objects"):
        query(Shop.takings)


def test_docstring_is_whole_and_without_its_indentation() -> None:
    assert ExposedMethods(Shop).get("search").docstring == "Finds things.\n\nIn no order."


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("get_price", "(item: str, /, amount: int = 1, *, currency: str = 'EUR') -> int"),
        ("greet", "(name: str) -> str"),
        ("get_kind", "() -> str"),
        ("count_slowly", "(upto: int) -> int"),
        ("order", "(*items: str, **amounts: int) -> int"),
        ("search", "(words: str) -> list[str]"),
    ],
)
def test_signature_is_what_a_caller_gives(name: str, signature: str) -> None:
    assert ExposedMethods(Shop).get(name).signature == signature


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("get_price", ["pear"], {}),
        ("get_price", ["pear", 2], {}),
        ("get_price", ["pear"], {"amount": 2, "currency": "USD"}),
        ("greet", [], {"name": "you"}),
        ("greet", ["you"], {}),
        ("get_kind", [], {}),
        ("order", [], {}),
        ("order", ["pear", "apple"], {"pear": 2}),
    ],
)
def test_arguments_that_fit_are_taken(
    name: str, args: Sequence[object], kwargs: Mapping[str, object]
) -> None:
    ExposedMethods(Shop).get(name).bind(args, kwargs)


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "reason"),
    [
        ("greet", [], {}, "missing a required argument: 'name'"),
        ("greet", ["you", "me"], {}, "too many positional arguments"),
        ("greet", ["you"], {"name": "me"}, "multiple values for argument 'name'"),
        ("greet", [], {"name": "you", "title": "Dr"}, "unexpected keyword argument 'title'"),
        ("get_price", [], {"amount": 2}, "missing a required"),
        ("get_price", [], {"item": "pear"}, "'item'"),
        ("get_price", ["pear", 2, "EUR"], {}, "too many positional arguments"),
        ("get_kind", [1], {}, "too many positional arguments"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    name: str, args: Sequence[object], kwargs: Mapping[str, object], reason: str
) -> None:
    method = ExposedMethods(Shop).get(name)
    with pytest.raises(ArgumentsError) as caught:
        method.bind(args, kwargs)
    assert str(caught.value).startswith(f"Shop.{name}{method.signature}: ")
    assert reason in str(caught.value)
