"""One table of the configuration file, whose values are checked as they are taken out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from eventsourcing_grpc.addresses import check_address
from eventsourcing_grpc.user_errors import UserError

_COLOURS = (
    "red",
    "yellow",
    "green",
    "cyan",
    "blue",
    "magenta",
    "orange",
    "purple",
    "white",
    "grey",
)
_HEXADECIMAL = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_MAX_SHOWN = 60


class ConfigurationError(UserError):
    """Raised when the configuration can't be used. One line: file, key, value and a good one."""


class ConfigurationTable:
    """A table, and where it is. Its methods raise ``ConfigurationError`` for what can't be used."""

    def __init__(self, path: Path, name: str, values: Mapping[str, object]) -> None:
        """:param name: of the table in the file, with dots. Empty: the file itself."""
        self.path = path
        self._name = name
        self._values = values

    @property
    def keys(self) -> Collection[str]:
        """The keys that the table has."""
        return self._values.keys()

    def check_keys(self, *known: str) -> None:
        """Makes sure that the table has no other keys than those that mean something."""
        for key in self._values:
            if key not in known:
                close = get_close_matches(key, known, 1)
                hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
                self.refuse(key, f"this key is not known: {hint}")

    def table(self, key: str) -> ConfigurationTable:
        """Returns a table in this one. Where there is none, an empty one."""
        value = self._values.get(key, {})
        if not isinstance(value, dict):
            self.refuse(key, f"it must be a table, as in [{self._full_name(key)}]")
        return ConfigurationTable(self.path, self._full_name(key), value)

    def text(self, key: str, example: str) -> str:
        """Returns a text, or an empty one where there is none."""
        value = self._values.get(key, "")
        if not isinstance(value, str) or (key in self._values and not value.strip()):
            self.refuse(key, f"it must be text, as in {_line(key, example)}")
        return value

    def flag(self, key: str) -> bool:
        """Returns a truth value: false where there is none."""
        value = self._values.get(key, False)
        if not isinstance(value, bool):
            self.refuse(key, f"it must be true or false, as in {_line(key, True)}")
        return value

    def file(self, key: str, example: str) -> str:
        """Returns a path, made absolute from the directory of the configuration file."""
        text = self.text(key, example)
        if not text:
            return ""
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            self.refuse(key, "there is no such person's directory")
        return str(self.path.absolute().parent / path)

    def colour(self, key: str) -> str:
        """Returns a colour, or an empty text where there is none."""
        value = self.text(key, _COLOURS[0])
        if value and value not in _COLOURS and not _HEXADECIMAL.fullmatch(value):
            colours = ", ".join(_COLOURS)
            self.refuse(key, f'it must be one of {colours}, or such as "#c00000"')
        return value

    def addresses(self, key: str, example: str) -> tuple[str, ...]:
        """Returns at least one address."""
        value = self._values.get(key)
        is_list = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if not isinstance(value, list) or not is_list or not value:
            good = _line(key, [example])
            if key not in self._values:
                msg = f"{self.path}: {self._name} has no {key}: give it some, as in {good}"
                raise ConfigurationError(msg)
            self.refuse(key, f"it must be a list of addresses, as in {good}")
        for address in value:
            self._check_address(key, address, example)
        return tuple(value)

    def texts_by_key(self, example: str) -> dict[str, str]:
        """Returns the whole table, which has texts only."""
        return {key: self.text(key, example) for key in self._values}

    def addresses_by_key(self, example: str) -> dict[str, str]:
        """Returns the whole table, which has addresses only."""
        for key in self._values:
            self._check_address(key, self.text(key, example), example)
        return self.texts_by_key(example)

    def refuse(self, key: str, why: str) -> NoReturn:
        """Raises the error that names the file, the key, its value and what would be good."""
        value = _shown(self._values.get(key))
        msg = f"{self.path}: {self._full_name(key)} = {value}: {why}"
        raise ConfigurationError(msg)

    def _check_address(self, key: str, address: str, example: str) -> None:
        problem = check_address(address)
        if problem:
            self.refuse(key, f"{address!r} is not an address: {problem}. A good one is {example}")

    def _full_name(self, key: str) -> str:
        quoted = key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)
        return f"{self._name}.{quoted}" if self._name else quoted


def _line(key: str, value: object) -> str:
    return f"{key} = {json.dumps(value)}"


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"
