"""Tells from what is stored of an event, without decoding it, that a text is not in its state.

To decode an event and to make its JSON takes three times as long as to select it. This leaves it
to others whenever it can't prove that nothing is lost: see ``StoredStateFilter``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from eventsourcing.persistence import (
    DatetimeAsISO,
    DecimalAsStr,
    JSONTranscoder,
    Mapper,
    Notification,
    Transcoder,
    UUIDAsHex,
)
from eventsourcing.utils import resolve_topic

from eventsourcing_grpc.calls.json_values import dataclass_fields
from eventsourcing_grpc.reading.search_text import SearchText

_CORE_TRANSCODINGS = (UUIDAsHex, DecimalAsStr, DatetimeAsISO)

# What separates keys, strings and numbers in JSON, other than the space behind ":" and ",".
_STRUCTURE = re.compile(r'[",:{}\[\]]+')
# What the JSON has that is not stored, or is stored in another way: the names of what the mapper
# adds, what stands for values that are too deep, what else numbers may be.
_ADDED = (
    *("originator_id", "originator_version"),
    *("type", "repr", "…", "builtins", "dict", "list", "int", "float"),
    *("-infinity", "-nan", "-snan"),
)
# Parts of numbers and times, for which there are more ways of writing than the one that is shown.
_NUMBER_PART = re.compile(r"[0-9a-fxt+.\-]*|[+-]?s?n?a?n?[0-9]*")
# Parts of UUIDs that can't be parts of other numbers, but of integers that are shown in hex digits.
_UUID_PART = re.compile(r"(?=.*[abcdf])[0-9a-f\-]+")
# Integers in hex digits have more than 3,000 decimal ones.
_MAX_LENGTH_WITHOUT_HEX_INTEGERS = 3_000
# Values that are shown as they are stored, other than for a UUID's dashes.
_WRITTEN_AS_SHOWN = re.compile(
    r'"_type_":"(?:'
    r'uuid_hex","_data_":"[0-9a-f]{32}'
    r'|datetime_iso","_data_":"[0-9]{4}(?:-[0-9]{2}){2}T(?:[01][0-9]|2[0-3])(?::[0-9]{2}){2}'
    r"(?:\.(?!0{6})[0-9]{6})?(?:(?!-00:00)[+-][0-9]{2}:[0-9]{2})?"
    r'|decimal_str","_data_":"-?(?:0|[1-9][0-9]*)(?:\.[0-9]{1,6})?'
    r')"}'
)
# One in an object or in an array. What looks like one in a string does no harm.
_FLOAT = re.compile(r'(?:"\s*:|[,\[])\s*-?[0-9]+[.eE]')


class _Proof(Enum):
    """What is known of the events of one topic."""

    NONE = auto()
    """Their state may have anything."""
    STORED = auto()
    """Their state has nothing but what is stored."""
    UNDECODABLE = auto()
    """They have no state, because their class is not here."""


@dataclass(frozen=True)
class _Pieces:
    """The pieces of a text, each of which must be inside one value."""

    plain: Sequence[str]
    """To be looked for as they are."""
    uuid_parts: Sequence[str]
    """To be looked for without dashes."""
    number_parts: Sequence[str]
    """To be looked for without dashes, where numbers are written as they are shown."""
    is_whole_uuid: bool
    is_in_one_value: bool
    """The text is one piece."""

    @classmethod
    def of(cls, text: SearchText) -> _Pieces:
        if text.uuid is not None:
            return cls((), (text.uuid.hex,), (), is_whole_uuid=True, is_in_one_value=True)
        plain, uuid_parts, number_parts = [], [], []
        between = _STRUCTURE.split(text.forms[0])
        for part in between:
            # A space may be one that separates. Others, behind a letter, are inside a string.
            piece = part.lstrip(" ")
            if any(piece in added for added in _ADDED):
                continue
            if _UUID_PART.fullmatch(piece):
                uuid_parts.append(piece.replace("-", ""))
            elif _NUMBER_PART.fullmatch(piece):
                number_parts.append(piece.replace("-", ""))
            else:
                plain.append(piece)
        return cls(
            plain,
            uuid_parts,
            number_parts,
            is_whole_uuid=False,
            is_in_one_value=len(between) == 1,
        )

    @property
    def has_any(self) -> bool:
        return bool(self.plain or self.uuid_parts or self.number_parts)

    def may_be_in(self, stored: str, notification: Notification) -> bool:
        folded = stored.casefold()
        if not self.is_in_one_value or isinstance(notification.originator_id, str):
            # Otherwise the originator ID has been looked at by itself.
            folded = f"{folded} {notification.originator_id}".casefold()
        for piece in self.plain:
            if piece not in folded:
                return False
        if not self.uuid_parts and not self.number_parts:
            return True
        if not self.is_whole_uuid and len(stored) >= _MAX_LENGTH_WITHOUT_HEX_INTEGERS:
            return True
        without_dashes = folded.replace("-", "")
        for part in self.uuid_parts:
            if part not in without_dashes:
                return False
        version = str(notification.originator_version)
        for part in self.number_parts:
            if part not in without_dashes and part not in version:
                return not _is_as_shown(stored)
        return True


class StoredStateFilter:
    """Rejects events whose state can't have a text.

    What is shown of an event is proved to be what is stored when

    - the mapper and the transcoder are the core library's own (what was encrypted or compressed is
      decrypted and decompressed first),
    - it has no value of another transcoding than the core library's three,
    - its class is a dataclass without defaults, upcasting, and own access to attributes,
    - and nothing stored is escaped.

    Its JSON differs still: in the order of keys, in spaces, in the dashes of UUIDs, perhaps in how
    numbers and times are written. So the pieces of the text are looked for that must be inside one
    key, string, number or UUID: an event that lacks one of them does not match. Parts of numbers are
    looked for only where all that is stored is written as it is shown.
    """

    def __init__(self, text: SearchText, mapper: Mapper[Any]) -> None:
        self._mapper = mapper
        self._topics: dict[str, _Proof] = {}
        self._pieces = _Pieces.of(text)
        self._markers = _markers(mapper.transcoder)
        self._is_applicable = (
            type(mapper).to_domain_event is Mapper.to_domain_event
            and type(mapper.transcoder) is JSONTranscoder
            and self._pieces.has_any
        )

    def may_match(self, notification: Notification) -> bool:
        """Tells whether the text may be in an event's state.

        False: it is not there, other than in the originator ID alone, or the event can't be decoded.
        """
        topic = notification.topic
        proof = self._topics.get(topic)
        if proof is None:
            proof = self._topics[topic] = self._find_proof(topic)
        if proof is not _Proof.STORED:
            return proof is _Proof.NONE
        try:
            stored = self._decrypt(notification.state).decode()
        except Exception:
            # Whatever a cipher or compressor raises, it is raised for the mapper too.
            return False
        if "\\" in stored:
            return True
        if self._markers is not None and _has_others(stored, self._markers):
            return True
        return self._pieces.may_be_in(stored, notification)

    def _decrypt(self, state: bytes) -> bytes:
        if self._mapper.cipher:
            state = self._mapper.cipher.decrypt(state)
        if self._mapper.compressor:
            state = self._mapper.compressor.decompress(state)
        return state

    def _find_proof(self, topic: str) -> _Proof:
        try:
            cls = resolve_topic(topic)
        except Exception:
            # An import may raise anything.
            return _Proof.UNDECODABLE
        is_stored = self._is_applicable and isinstance(cls, type) and _shows_what_is_stored(cls)
        return _Proof.STORED if is_stored else _Proof.NONE


def _markers(transcoder: Transcoder) -> Sequence[str] | None:
    """Returns what begins a value of each of the core library's transcodings.

    None: there are no others.
    """
    if not isinstance(transcoder, JSONTranscoder):
        return None
    core_names = [
        name
        for name, transcoding in transcoder.names.items()
        if type(transcoding) in _CORE_TRANSCODINGS
    ]
    if len(core_names) == len(transcoder.names):
        return None
    return [f'"_type_":"{name}"' for name in core_names]


def _is_as_shown(stored: str) -> bool:
    """Tells whether all numbers, times and UUIDs are written in the way in which they are shown."""
    values = _WRITTEN_AS_SHOWN.findall(stored)
    return len(values) == stored.count('"_type_"') and _FLOAT.search(stored) is None


def _has_others(stored: str, markers: Sequence[str]) -> bool:
    return stored.count('"_type_"') > sum(stored.count(marker) for marker in markers)


def _shows_what_is_stored(cls: type) -> bool:
    names = dataclass_fields(cls)
    return (
        names is not None
        and not any(hasattr(cls, name) for name in (*names, "class_version", "__getattr__"))
        and not any(name.startswith("upcast_") for name in dir(cls))
        and not any("__getattribute__" in vars(base) for base in cls.__mro__ if base is not object)
    )
