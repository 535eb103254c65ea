"""JSON as people write it: its types, and reading it so that mistakes can be found and digits stay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

JsonValue: TypeAlias = "str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = "dict[str, JsonValue]"


class Absent(Enum):
    """Stands for a value that is not there, which is not the same as null."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT

MaybeJson: TypeAlias = "JsonValue | Absent"


class WrittenFloat(float):
    """A number that remembers how it was written: ``1.10`` is not ``1.1`` for a Decimal."""

    def __new__(cls, text: str) -> WrittenFloat:
        """Takes the text of a number in JSON."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


@dataclass(frozen=True)
class JsonProblem(Exception):
    """Raised when a text is not JSON."""

    message: str
    line: int
    column: int

    def __str__(self) -> str:
        """The place, and what is wrong there."""
        return f"line {self.line}, column {self.column}: {self.message}"


def read_json(text: str) -> JsonValue:
    """Returns the value that a text tells. Its floats are ``WrittenFloat``.

    :raises JsonProblem: when the text is not JSON.
    """
    try:
        value: JsonValue = json.loads(
            text, parse_float=WrittenFloat, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as e:
        raise JsonProblem(_in_words(e.msg), e.lineno, e.colno) from None
    except RecursionError:
        raise JsonProblem("this is nested too deeply", 1, 1) from None
    except _ConstantError as e:
        line, column = _place_of(text, str(e))
        message = f'{e} is not JSON: write "{e}" in quotes'
        raise JsonProblem(message, line, column) from None
    except ValueError:
        # Python reads no integers of more than some thousand digits.
        raise JsonProblem("a number has too many digits", 1, 1) from None
    return value


def write_json(value: JsonValue, *, indent: int | None = 2) -> str:
    """Returns a value as JSON, with every character that could do harm in a terminal escaped."""
    return _escape(json.dumps(value, indent=indent, ensure_ascii=False))


def quoted(value: JsonValue) -> str:
    """Returns a value as JSON on one line."""
    return write_json(value, indent=None)


class _ConstantError(ValueError):
    pass


def _refuse_constant(name: str) -> float:
    raise _ConstantError(name)


def _in_words(message: str) -> str:
    # The module says "Expecting ',' delimiter" and "Extra data".
    return "nothing is expected here" if message == "Extra data" else message.lower()


def _place_of(text: str, part: str) -> tuple[int, int]:
    before = text[: max(0, text.find(part))]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _escape(text: str) -> str:
    # What json leaves as it is, and terminals don't: all of it is within strings.
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(
        character if character.isprintable() or character in "\n \u00a0\u3000" else _code(character)
        for character in text
    )


def _code(character: str) -> str:
    return json.dumps(character)[1:-1] if ord(character) != 0x7F else "\\u007f"
