"""Which of an application's methods may be called from outside, and what they look like.

Arguments as JSON are left to ``json_arguments``, and what a call does to its services.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from types import FunctionType
from typing import TypeVar

from eventsourcing_grpc.calls.signatures import call_signature, shown_signature
from eventsourcing_grpc.errors import ArgumentsError, MethodNotExposedError, UnknownMethodError

TMethod = TypeVar("TMethod")

_MARK = "__eventsourcing_grpc_method_kind__"

_METHOD_TYPES = (
    FunctionType,
    staticmethod,
    classmethod,
    functools.partialmethod,
    functools.singledispatchmethod,
    type(functools.lru_cache(lambda: None)),
)

_MAX_NAME_LENGTH = 100


class MethodKind(Enum):
    """What a call of a method may do."""

    COMMAND = "command"
    """It may change something: never sent twice, unless it provably never arrived."""

    QUERY = "query"
    """It changes nothing: sent again when the server was unavailable."""


def command(method: TMethod) -> TMethod:
    """Marks a method as one that may change something. Methods without a mark are commands too.

    Raises ``TypeError`` if what is given isn't a method, such as a property.
    """
    return _mark(method, MethodKind.COMMAND)


def query(method: TMethod) -> TMethod:
    """Marks a method as one that changes nothing, so that a call may be repeated.

    Raises ``TypeError`` if what is given isn't a method, such as a property.
    """
    return _mark(method, MethodKind.QUERY)


def _mark(method: TMethod, kind: MethodKind) -> TMethod:
    if not isinstance(method, _METHOD_TYPES):
        msg = f"@{kind.value} marks methods, not {type(method).__name__} objects"
        raise TypeError(msg)
    setattr(method, _MARK, kind)
    return method


class ExposedMethod:
    """One method that may be called from outside."""

    def __init__(
        self,
        application_name: str,
        name: str,
        kind: MethodKind,
        docstring: str,
        owner: type,
        function: Callable[..., object],
        parameters: inspect.Signature,
    ) -> None:
        self.application_name = application_name
        self.name = name
        self.kind = kind
        self.docstring = docstring
        """The whole docstring without its indentation. Empty: there is none."""
        self.owner = owner
        """The class that defines the method."""
        self.function = function
        """What the application's author wrote, not bound to an application."""
        self.parameters = parameters
        """What a caller gives: without 'self' or 'cls'."""
        self._shape = _Shape(parameters)

    @property
    def signature(self) -> str:
        """The signature for people: ``(order_id: UUID) -> bool``."""
        return shown_signature(self.parameters)

    def bind(self, args: Sequence[object], kwargs: Mapping[str, object]) -> None:
        """Checks that there are neither too few nor too many arguments, and none of another name.

        Raises ``ArgumentsError`` that says what is wrong.
        """
        if self._shape.is_plain_match(args, kwargs):
            return
        try:
            self.parameters.bind(*args, **kwargs)
        except TypeError as error:
            msg = f"{self.application_name}.{self.name}{self.signature}: {error}"
            raise ArgumentsError(msg) from None


class _Shape:
    """Recognises the usual ways to give arguments, some thirty times as fast as ``bind`` does."""

    def __init__(self, parameters: inspect.Signature) -> None:
        positional = 0
        required: set[str] = set()
        names: set[str] = set()
        has_required_names = has_required_positions = False
        for parameter in parameters.parameters.values():
            is_required = parameter.default is parameter.empty
            match parameter.kind:
                case parameter.POSITIONAL_ONLY:
                    positional += 1
                    has_required_positions |= is_required
                case parameter.POSITIONAL_OR_KEYWORD:
                    positional += 1
                    names.add(parameter.name)
                case parameter.KEYWORD_ONLY:
                    names.add(parameter.name)
                    has_required_names |= is_required
                case _:
                    continue
            if is_required:
                required.add(parameter.name)
        self._min_args = sys.maxsize if has_required_names else len(required)
        self._max_args = positional
        self._names = frozenset(names)
        self._required = frozenset(required)
        self._takes_names_alone = not has_required_positions

    def is_plain_match(self, args: Sequence[object], kwargs: Mapping[str, object]) -> bool:
        """Tells whether all is given by position, or all by name, and fits."""
        if not kwargs:
            return self._min_args <= len(args) <= self._max_args
        keys = kwargs.keys()
        return (
            not args and self._takes_names_alone and self._required <= keys and keys <= self._names
        )


class ExposedMethods:
    """The methods of an application that may be called from outside.

    These are the public methods that the application's author wrote: functions, static methods and
    class methods of the classes below the library's own, less any name that the library's classes
    have. Nothing else of the application can be reached.
    """

    def __init__(self, app_class: type) -> None:
        self._application_name = str(getattr(app_class, "name", None) or app_class.__name__)
        self._author_classes = [c for c in app_class.__mro__ if not _is_library_class(c)]
        self._library_classes = [c for c in app_class.__mro__ if _is_library_class(c)]
        self._methods: dict[str, ExposedMethod] = {}
        for name in _names_in_definition_order(self._author_classes):
            if self._refusal(name) is None:
                self._methods[name] = self._construct_method(app_class, name)

    def __iter__(self) -> Iterator[ExposedMethod]:
        """Iterates in the order of definition, base classes first."""
        return iter(self._methods.values())

    def __len__(self) -> int:
        return len(self._methods)

    def get(self, name: str) -> ExposedMethod:
        """Returns the method of that name.

        Raises ``MethodNotExposedError`` if there is something of that name that may not be called,
        and ``UnknownMethodError`` if there is nothing.
        """
        try:
            return self._methods[name]
        except KeyError:
            raise self._explain(name) from None

    def has(self, name: str) -> bool:
        """Tells whether there is a method of that name."""
        return name in self._methods

    def is_command(self, name: str) -> bool:
        """Tells whether there is a method of that name, and it may change something."""
        method = self._methods.get(name)
        return method is not None and method.kind is MethodKind.COMMAND

    def _explain(self, name: str) -> MethodNotExposedError | UnknownMethodError:
        shown = name if name.isidentifier() and len(name) <= _MAX_NAME_LENGTH else repr(name[:40])
        refusal = self._refusal(name)
        if refusal is not None:
            return MethodNotExposedError(
                f"{self._application_name}.{shown} can't be called: it {refusal}"
            )
        near = difflib.get_close_matches(name[:_MAX_NAME_LENGTH], self._methods, n=1)
        hint = f": did you mean '{near[0]}'?" if near else ""
        return UnknownMethodError(f"{self._application_name} has no method {shown}{hint}")

    def _refusal(self, name: str) -> str | None:
        """Says why something of that name can't be called. None: it can, or there is no such."""
        if name.startswith("_"):
            return "is private"
        for library_class in self._library_classes:
            if name in vars(library_class):
                return f"belongs to {_library_of(library_class)}"
        for author_class in self._author_classes:
            if name in vars(author_class):
                return _why_no_method(vars(author_class)[name])
        return None

    def _construct_method(self, app_class: type, name: str) -> ExposedMethod:
        owners = [c for c in self._author_classes if isinstance(vars(c).get(name), _METHOD_TYPES)]
        definitions = [vars(c)[name] for c in owners]
        kinds = (_marked_kind(definition) for definition in definitions)
        docstrings = (_docstring(definition) for definition in definitions)
        return ExposedMethod(
            application_name=self._application_name,
            name=name,
            kind=next((kind for kind in kinds if kind is not None), MethodKind.COMMAND),
            docstring=next((docstring for docstring in docstrings if docstring), ""),
            owner=owners[0],
            function=_innermost(definitions[0]),
            parameters=call_signature(app_class, name, definitions[0]),
        )


def _names_in_definition_order(author_classes: Sequence[type]) -> list[str]:
    return list(
        dict.fromkeys(
            name
            for author_class in reversed(author_classes)
            for name, value in vars(author_class).items()
            if isinstance(value, _METHOD_TYPES)
        )
    )


def _is_library_class(cls: type) -> bool:
    package, _, rest = cls.__module__.partition(".")
    if package == "eventsourcing":
        return "tests" not in rest.split(".")
    if package == "eventsourcing_grpc":
        return rest != "example"
    return package in sys.stdlib_module_names or package == "typing_extensions"


def _library_of(cls: type) -> str:
    package = cls.__module__.partition(".")[0]
    if package in ("eventsourcing", "eventsourcing_grpc"):
        return f"the {package} library"
    return f"the class {cls.__module__}.{cls.__qualname__}"


def _why_no_method(value: object) -> str | None:
    if isinstance(value, _METHOD_TYPES):
        if inspect.iscoroutinefunction(_innermost(value)):
            return "is a coroutine function"
        return None
    if isinstance(value, property | functools.cached_property):
        return "is a property"
    if isinstance(value, type):
        return "is a class"
    return "is a class variable"


def _layers(definition: object) -> Iterator[object]:
    """Goes from what the class has to the function inside, through decorators that tell of it."""
    layer: object | None = definition
    for _ in range(100):
        if layer is None:
            return
        yield layer
        inner = None
        for attribute in ("__wrapped__", "__func__", "func"):
            inner = inner or getattr(layer, attribute, None)
        layer = inner


def _innermost(definition: object) -> Callable[..., object]:
    function: Callable[..., object] | None = None
    for layer in _layers(definition):
        if callable(layer):
            function = layer
    if function is None:
        msg = f"There is no function in {definition!r}"
        raise TypeError(msg)
    return function


def _marked_kind(definition: object) -> MethodKind | None:
    for layer in _layers(definition):
        kind = getattr(layer, _MARK, None)
        if isinstance(kind, MethodKind):
            return kind
    return None


def _docstring(definition: object) -> str:
    docstring = _innermost(definition).__doc__
    return inspect.cleandoc(docstring) if docstring else ""
