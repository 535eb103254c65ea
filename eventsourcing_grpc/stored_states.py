"""Tells from what is stored of an event, without decoding it, that a text is not in its state.

To decode an event and to make its JSON takes three times as long as to select it. This leaves it
to others whenever it can't prove that nothing is lost: see ``StoredStateFilter``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
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

from eventsourcing_grpc.json_values import dataclass_fields
from eventsourcing_grpc.search_text import SearchText

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
# Parts of numbers and times. There is more than one way to write them, and only one is shown.
_NUMBER_PART = re.compile(r"[0-9a-fxt+.\-]*|[+-]?s?n?a?n?[0-9]*")
# Parts of UUIDs that can't be parts of other numbers, other than of integers in hex digits,
# which are so only when they have more than 3,000 decimal ones.
_UUID_PART = re.compile(r"(?=.*[abcdf])[0-9a-f\-]+")
_MAX_LENGTH_WITHOUT_HEX_INTEGERS = 3_000


class _Proof(Enum):
    """What is known of the events of one topic."""

    NONE = auto()
    """Their state may have anything."""
    STORED = auto()
    """Their state has nothing but what is stored."""
    UNDECODABLE = auto()
    """They have no state, because their class is not here."""


class StoredStateFilter:
    """Rejects events whose state can't have a text.

    What is shown of an event is proved to be what is stored when

    - the mapper and the transcoder are the core library's own (what was encrypted or compressed is
      decrypted and decompressed first),
    - it has no value of another transcoding than the core library's three,
    - its class is a dataclass without defaults, upcasting, and own access to attributes,
    - and nothing stored is escaped.

    Its JSON differs still: in the order of keys, in spaces, in the dashes of UUIDs, perhaps in how
    numbers and times are written. So only the pieces of the text are looked for that must be inside
    one key, string or UUID: an event that lacks one of them does not match.
    """

    def __init__(self, text: SearchText, mapper: Mapper[Any]) -> None:
        self._mapper = mapper
        self._topics: dict[str, _Proof] = {}
        self._plain_pieces, self._uuid_pieces = _pieces(text)
        # Otherwise the originator ID has been looked at by itself.
        self._is_in_several_values = text.uuid is None and bool(_STRUCTURE.search(text.forms[0]))
        self._is_short_only = bool(self._uuid_pieces) and text.uuid is None
        self._markers = _markers(mapper.transcoder)
        self._is_applicable = (
            type(mapper).to_domain_event is Mapper.to_domain_event
            and type(mapper.transcoder) is JSONTranscoder
            and bool(self._plain_pieces or self._uuid_pieces)
        )

    def may_match(self, notification: Notification) -> bool:
        """False: the text is not in the event's state, or the event can't be decoded."""
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
        if self._is_short_only and len(stored) >= _MAX_LENGTH_WITHOUT_HEX_INTEGERS:
            return True
        if self._is_in_several_values or isinstance(notification.originator_id, str):
            stored = f"{stored} {notification.originator_id}"
        stored = stored.casefold()
        for piece in self._plain_pieces:
            if piece not in stored:
                return False
        if self._uuid_pieces:
            stored = stored.replace("-", "")
            for piece in self._uuid_pieces:
                if piece not in stored:
                    return False
        return True

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


def _pieces(text: SearchText) -> tuple[Sequence[str], Sequence[str]]:
    """Returns pieces that are looked for as they are, and others to be looked for without dashes."""
    if text.uuid is not None:
        return (), (text.uuid.hex,)
    plain, uuids = [], []
    for between in _STRUCTURE.split(text.forms[0]):
        # A space may be one of those that separate. Others, behind a letter, are inside a string.
        piece = between.lstrip(" ")
        if any(piece in added for added in _ADDED):
            continue
        if _UUID_PART.fullmatch(piece):
            uuids.append(piece.replace("-", ""))
        elif not _NUMBER_PART.fullmatch(piece):
            plain.append(piece)
    return plain, uuids


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


def _has_others(stored: str, markers: Sequence[str]) -> bool:
    return stored.count('"_type_"') > sum(stored.count(marker) for marker in markers)


def _shows_what_is_stored(cls: type) -> bool:
    names = dataclass_fields(cls)
    return (
        names is not None
        and not any(hasattr(cls, name) for name in (*names, "class_version", "__getattr__"))
        and not any(name.startswith("upcast_") for name in dir(cls))
        and cls.__getattribute__ is object.__getattribute__
    )
