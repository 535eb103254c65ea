"""A text that events are searched for, in the forms in which it may be met, in any case."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from uuid import UUID

_ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4}|\\.)+")
_UUID_PART = re.compile(r"[0-9a-f-]+")
# Up to here the digits are not looked for across dashes, where they would match by chance.
_FIRST_GROUP = 8


@dataclass(frozen=True)
class SearchText:
    """What is searched for, for comparing with what has been folded by ``str.casefold``."""

    forms: tuple[str, ...]
    """The text matches where one of these is found."""
    uuid: UUID | None
    """Set when the text is a whole UUID, in any usual form."""
    is_uuid_part: bool
    """True when it may be a part of a UUID, as far as its characters tell."""

    @classmethod
    def of(cls, text: str) -> SearchText:
        """Returns the forms of a text as a person has typed it. It must not be empty."""
        folded = text.casefold()
        uuid = _uuid_of(folded)
        if uuid is None:
            return cls((folded,), None, _UUID_PART.fullmatch(folded) is not None)
        forms = (str(uuid), uuid.hex)
        is_usual = any(form in folded for form in forms)
        return cls(forms if is_usual else (*forms, folded), uuid, is_uuid_part=True)

    def is_in_text(self, text: str) -> bool:
        """Tells whether it is found in a text."""
        folded = text.casefold()
        return any(form in folded for form in self.forms)

    def is_in_json(self, json_text: str) -> bool:
        """Tells whether it is found in the text of a JSON value, as if nothing in it was escaped."""
        return self.is_in_text(_without_escapes(json_text))

    def is_in_originator_id(self, originator_id: UUID | str) -> bool:
        """Tells whether it is found in an originator ID, which may be meant without its dashes."""
        if isinstance(originator_id, str):
            return self.is_in_text(originator_id)
        if self.uuid is not None:
            return self.uuid == originator_id
        if not self.is_uuid_part:
            return False
        (form,) = self.forms
        if len(form) > _FIRST_GROUP and "-" not in form:
            return form in originator_id.hex
        return form in str(originator_id)


def _uuid_of(folded: str) -> UUID | None:
    try:
        uuid = UUID(folded.strip())
    except ValueError:
        return None
    # Underscores and digits of other scripts are understood too, but nobody writes UUIDs so.
    return uuid if uuid.hex in folded.replace("-", "") else None


def _without_escapes(json_text: str) -> str:
    if "\\" not in json_text:
        return json_text
    # Only strings have backslashes, so that there is no need to know where the strings are.
    return _ESCAPES.sub(lambda match: str(json.loads(f'"{match[0]}"')), json_text)
