"""An application that returns what it is given: a method for each kind of type."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from eventsourcing.application import Application
from pydantic import BaseModel, Field, SecretStr
from typing_extensions import TypedDict

from eventsourcing_grpc.methods import command, query
from tests.esgrpc_console.screen_reading import UNKIND


class Colour(Enum):
    RED = "red"
    GREEN = "green"


Planet = Literal[
    "Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune", "Pluto"
]


class Address(BaseModel):
    """Has members of several kinds."""

    street: str
    city: str = "London"
    since: date | None = None
    tags: list[str] = Field(default_factory=list)


@dataclass
class Node:
    """Contains its like."""

    value: int
    children: list[Node] = field(default_factory=list)


class Options(TypedDict, total=False):
    depth: int
    is_deep: bool


class Point(NamedTuple):
    x: int
    y: float


class EveryType(Application[UUID]):
    """Returns arguments and their classes."""

    @query
    def take_bool(self, value: bool) -> str:
        return repr(value)

    @query
    def take_int(self, value: int) -> str:
        return repr(value)

    @query
    def take_small(self, value: Annotated[int, Field(gt=3, le=10)]) -> str:
        return repr(value)

    @query
    def take_float(self, value: float) -> str:
        return repr(value)

    @query
    def take_decimal(self, value: Decimal) -> str:
        return repr(value)

    @query
    def take_str(self, value: str) -> str:
        return repr(value)

    @query
    def take_bytes(self, value: bytes) -> str:
        return repr(value)

    @query
    def take_uuid(self, value: UUID) -> str:
        return repr(value)

    @query
    def take_date(self, value: date) -> str:
        return repr(value)

    @query
    def take_time(self, value: time) -> str:
        return repr(value)

    @query
    def take_datetime(self, value: datetime) -> str:
        return repr(value)

    @query
    def take_timedelta(self, value: timedelta) -> str:
        return repr(value)

    @query
    def take_enum(self, value: Colour) -> str:
        return repr(value.name)

    @query
    def take_literal(self, value: Planet) -> str:
        return repr(value)

    @query
    def take_optional(self, value: str | None) -> str:
        return repr(value)

    @query
    def take_default(self, value: str = "usual", amount: int = 7) -> str:
        return repr((value, amount))

    @query
    def take_optional_default(self, value: int | None = 5) -> str:
        return repr(value)

    @query
    def take_list(self, value: list[int]) -> str:
        return repr(value)

    @query
    def take_model(self, value: Address) -> str:
        return repr(value)

    @query
    def take_node(self, value: Node) -> str:
        return repr(value)

    @query
    def take_typed_dict(self, value: Options) -> str:
        return repr(value)

    @query
    def take_tuple(self, value: Point) -> str:
        return repr(value)

    @query
    def take_dict(self, value: dict[str, int]) -> str:
        return repr(value)

    @query
    def take_union(self, value: UUID | int) -> str:
        return repr(value)

    @query
    def take_any(self, value: Any) -> str:
        return repr(value)

    @query
    def take_names(self, *numbers: int, **names: str) -> str:
        return repr((numbers, names))

    @query
    def take_secret(self, value: SecretStr) -> str:
        return repr(value.get_secret_value())

    @query
    def take_many(
        self,
        p01: int,
        p02: int,
        p03: int,
        p04: int,
        p05: int,
        p06: int,
        p07: int,
        p08: int,
        p09: int,
        p10: int,
        p11: str = "",
        p12: str = "",
        p13: str = "",
        p14: str = "",
        p15: str = "",
        p16: str = "",
        p17: str = "",
        p18: str = "",
        p19: str = "",
        p20: str = "",
        p21: bool = False,
        p22: bool = False,
        p23: bool = False,
        p24: bool = False,
        p25: bool = False,
        p26: Colour | None = None,
        p27: Colour | None = None,
        p28: list[int] | None = None,
        p29: list[int] | None = None,
        p30: Decimal = Decimal("1.10"),
    ) -> str:
        return repr((p01, p10, p11, p21, p26, p28, p30))

    @command
    def wait(self, seconds: float) -> str:
        """Takes its time."""
        clock.sleep(seconds)
        return "done"

    @command
    def refuse(self, text: str = UNKIND) -> None:
        raise ValueError(text)

    @query
    def measure(self, text: str) -> int:
        return len(text)

    @query
    def much(self, characters: int) -> list[str]:
        return ["x" * 1_000] * (characters // 1_000)


EveryType.take_any.__doc__ = f"Takes anything {UNKIND}"
