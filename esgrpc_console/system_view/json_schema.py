"""Types as JSON Schema tells them, in the words and kinds that forms and messages are made of.

Only what a person can use is looked at; validation is left to the server, which alone knows the
types. Whatever a schema has that isn't understood makes its type one of any value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cached_property
from itertools import islice

from esgrpc_console.system_view.json_values import (
    ABSENT,
    JsonObject,
    JsonProblem,
    JsonValue,
    MaybeJson,
    quoted,
    read_json,
)

_MAX_REFERENCES = 20
_MAX_LEAVES = 200
_MAX_WORDS_DEPTH = 3
_MAX_SIGNATURE_LENGTH = 5_000


class Kind(Enum):
    """What a value is written as. The value is the type as a person says it."""

    TEXT = "str"
    INTEGER = "int"
    NUMBER = "float"
    DECIMAL = "Decimal"
    BOOLEAN = "bool"
    UUID = "UUID"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    DURATION = "timedelta"
    BYTES = "bytes"
    CHOICE = "enum"
    LIST = "list"
    TUPLE = "tuple"
    OBJECT = "object"
    MAPPING = "dict"
    UNION = "union"
    NONE = "None"
    ANY = "any"


_FORMATS = {
    "uuid": Kind.UUID,
    "date-time": Kind.DATETIME,
    "date": Kind.DATE,
    "time": Kind.TIME,
    "duration": Kind.DURATION,
    "binary": Kind.BYTES,
}
_TYPES = {
    "string": Kind.TEXT,
    "integer": Kind.INTEGER,
    "number": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "null": Kind.NONE,
}


class ArgumentType:
    """One type. The types within it are looked at when they are asked for: it may contain itself."""

    def __init__(
        self, schema: JsonObject, definitions: JsonObject, *, annotation: str = ""
    ) -> None:
        """
        :param definitions: what the schema may refer to, by name.
        :param annotation: the type as the method's author wrote it, where that is known.
        """
        self._definitions = definitions
        self._schemas = list(islice(_leaves(schema, definitions), _MAX_LEAVES))
        leaves = [_Leaf(leaf) for leaf in self._schemas]
        self.is_nullable = any(leaf.is_nullable for leaf in leaves)
        """Whether None will do."""
        self._leaves = [leaf for leaf in leaves if leaf.kind is not Kind.NONE]
        self.kind = _kind(self._leaves, annotation)
        self._annotation = annotation

    @property
    def schema(self) -> JsonObject:
        """The schema of the type without None, where it is one type."""
        return self._leaves[0].schema if len(self._leaves) == 1 else {}

    @property
    def is_secret(self) -> bool:
        """Whether it is not to be shown: a password."""
        return self.schema.get("format") == "password" or self.schema.get("writeOnly") is True

    @property
    def choices(self) -> Sequence[JsonValue]:
        """All values other than None, for a ``CHOICE``."""
        return [choice for leaf in self._leaves for choice in leaf.choices]

    @cached_property
    def words(self) -> str:
        """The type as a person says it: ``UUID``, ``list[int]``, ``str | None``."""
        return self._words(0)

    @property
    def author_words(self) -> str:
        """The type as the method's author wrote it, or in words where that is not known."""
        return self._annotation or self.words

    @cached_property
    def items(self) -> ArgumentType:
        """The type of each item of a ``LIST``."""
        items = self.schema.get("items")
        return ArgumentType(items if isinstance(items, dict) else {}, self._definitions)

    @cached_property
    def variants(self) -> Sequence[ArgumentType]:
        """The types that a ``UNION`` is made of."""
        return [ArgumentType(leaf.schema, self._definitions) for leaf in self._leaves]

    @cached_property
    def fields(self) -> Sequence[ArgumentField]:
        """The members of an ``OBJECT``, or the items of a ``TUPLE``."""
        return tuple(self._fields({}))

    @property
    def title(self) -> str:
        """The name of the class, for an ``OBJECT``."""
        title = self.schema.get("title")
        return title if isinstance(title, str) else ""

    @cached_property
    def json_types(self) -> frozenset[str]:
        """The types that values have in JSON. Empty: any."""
        types = [_types(schema) for schema in self._schemas]
        return frozenset(one for names in types for one in names) if all(types) else frozenset()

    @property
    def takes_any_text(self) -> bool:
        """Whether any text at all will do, the empty one included."""
        restricting = ("format", "pattern", "enum", "const", "minLength")
        return any(
            _types(leaf.schema) == ["string"] and not any(key in leaf.schema for key in restricting)
            for leaf in self._leaves
        )

    def _fields(self, annotations: Mapping[str, str]) -> Iterator[ArgumentField]:
        if self.kind is Kind.TUPLE:
            items = self.schema.get("prefixItems")
            for i, item in enumerate(items if isinstance(items, list) else ()):
                schema = item if isinstance(item, dict) else {}
                title = schema.get("title")
                yield ArgumentField(
                    str(i),
                    ArgumentType(schema, self._definitions),
                    label=title if isinstance(title, str) else f"[{i}]",
                )
            return
        properties = self.schema.get("properties")
        required = self.schema.get("required")
        for name, member in properties.items() if isinstance(properties, dict) else ():
            schema = member if isinstance(member, dict) else {}
            description = schema.get("description")
            yield ArgumentField(
                name,
                ArgumentType(schema, self._definitions, annotation=annotations.get(name, "")),
                is_required=isinstance(required, list) and name in required,
                default=schema.get("default", ABSENT),
                description=description if isinstance(description, str) else "",
            )

    def _words(self, depth: int) -> str:
        told = dict.fromkeys(self._leaf_words(depth))
        if self.is_nullable:
            told[Kind.NONE.value] = None
        return " | ".join(told) or Kind.ANY.value

    def _leaf_words(self, depth: int) -> Iterator[str]:
        if self.kind is Kind.DECIMAL:
            yield Kind.DECIMAL.value
            return
        for leaf in self._leaves:
            match leaf.kind:
                case Kind.CHOICE:
                    yield from (quoted(choice) for choice in leaf.choices)
                case Kind.LIST:
                    items = leaf.schema.get("items")
                    if isinstance(items, dict) and depth < _MAX_WORDS_DEPTH:
                        inner = ArgumentType(items, self._definitions)
                        yield f"list[{inner._words(depth + 1)}]"
                    else:
                        yield Kind.LIST.value
                case Kind.OBJECT:
                    title = leaf.schema.get("title")
                    yield title if isinstance(title, str) else Kind.MAPPING.value
                case kind:
                    yield kind.value


class ArgumentField:
    """One parameter of a method, or one member of what an argument is made of."""

    def __init__(
        self,
        name: str,
        type: ArgumentType,
        *,
        is_required: bool = True,
        default: MaybeJson = ABSENT,
        description: str = "",
        label: str = "",
    ) -> None:
        """
        :param default: what it is where it isn't given, as far as that is known.
        :param label: what it is called, where that isn't its name.
        """
        self.name = name
        self.type = type
        self.is_required = is_required
        self.default = default
        self.description = description
        self.label = label or name


class ArgumentsType(ArgumentType):
    """The type of a JSON object that has a member for each argument of a method."""

    def __init__(self, schema_text: str, signature: str = "") -> None:
        """
        A schema that isn't one tells of no parameters: the server says what is wrong with a call.

        :param signature: the method's, for people: ``(order_id: UUID) -> bool``.
        """
        schema = _object_from(schema_text)
        definitions = schema.get("$defs")
        super().__init__(
            {**schema, "type": "object"}, definitions if isinstance(definitions, dict) else {}
        )
        self.kind = Kind.OBJECT
        self._annotations = _annotations(signature)

    @cached_property
    def fields(self) -> Sequence[ArgumentField]:
        """The parameters."""
        return tuple(self._fields(self._annotations))

    @cached_property
    def extra(self) -> ArgumentType | None:
        """The type of arguments by other names. None: there are none."""
        extra = self.schema.get("additionalProperties")
        if not extra:
            return None
        return ArgumentType(extra if isinstance(extra, dict) else {}, self._definitions)


class _Leaf:
    """A schema that neither refers to others nor chooses among them."""

    def __init__(self, schema: JsonObject) -> None:
        self.schema = schema
        options = schema.get("enum")
        known = options if isinstance(options, list) else []
        if "const" in schema:
            known = [schema["const"]]
        self.choices = [choice for choice in known if choice is not None]
        types = _types(schema)
        self.is_nullable = (None in known) if known else "null" in types
        if known:
            self.kind = Kind.CHOICE if self.choices else Kind.NONE
        else:
            self.kind = _leaf_kind(schema, [kind for kind in types if kind != "null"] or types)


def _leaf_kind(schema: JsonObject, types: Sequence[str]) -> Kind:
    if len(types) != 1:
        return Kind.ANY
    if types[0] == "array":
        return Kind.TUPLE if _is_tuple(schema) else Kind.LIST
    if types[0] == "object":
        properties = schema.get("properties")
        return Kind.OBJECT if isinstance(properties, dict) and properties else Kind.MAPPING
    kind = _TYPES.get(types[0], Kind.ANY)
    told = schema.get("format")
    return _FORMATS.get(told, kind) if isinstance(told, str) and kind is Kind.TEXT else kind


def _is_tuple(schema: JsonObject) -> bool:
    items = schema.get("prefixItems")
    return isinstance(items, list) and schema.get("maxItems") == len(items) > 0


def _kind(leaves: Sequence[_Leaf], annotation: str) -> Kind:
    kinds = {leaf.kind for leaf in leaves}
    if not leaves:
        return Kind.NONE
    if Kind.ANY in kinds:
        return Kind.ANY
    if len(leaves) == 1 or kinds == {Kind.CHOICE}:
        return leaves[0].kind
    if kinds == {Kind.NUMBER, Kind.TEXT} and len(leaves) == 2:
        # Pydantic says the same of "Decimal" and of "float | str".
        is_union = "str" in annotation and "Decimal" not in annotation
        return Kind.UNION if is_union else Kind.DECIMAL
    return Kind.UNION


def _leaves(schema: JsonObject, definitions: JsonObject, depth: int = 0) -> Iterator[JsonObject]:
    reference = schema.get("$ref")
    if isinstance(reference, str) and depth < _MAX_REFERENCES:
        referred = definitions.get(reference.rpartition("/")[2])
        if isinstance(referred, dict):
            yield from _leaves(referred, definitions, depth + 1)
            return
    for keyword in ("anyOf", "oneOf", "allOf"):
        options = schema.get(keyword)
        if isinstance(options, list) and depth < _MAX_REFERENCES:
            if keyword == "allOf" and len(options) != 1:
                yield {}
                return
            for option in options:
                if isinstance(option, dict):
                    yield from _leaves(option, definitions, depth + 1)
            return
    yield {} if isinstance(reference, str) else schema


def _types(schema: JsonObject) -> list[str]:
    kind = schema.get("type")
    if isinstance(kind, str):
        return [kind]
    if isinstance(kind, list):
        return [one for one in kind if isinstance(one, str)]
    return []


def _object_from(text: str) -> JsonObject:
    try:
        schema = read_json(text) if text else {}
    except JsonProblem:
        return {}
    return schema if isinstance(schema, dict) else {}


def _annotations(signature: str) -> Mapping[str, str]:
    """Returns the types as the author wrote them. Empty where the signature isn't Python."""
    if not signature or len(signature) > _MAX_SIGNATURE_LENGTH:
        return {}
    try:
        tree = ast.parse(f"def f{signature}: ...")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # Defaults may be shown in any way: types are told without it.
        return {}
    definition = tree.body[0]
    if not isinstance(definition, ast.FunctionDef):
        return {}
    arguments = definition.args
    return {
        argument.arg: ast.unparse(argument.annotation)
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        if argument.annotation is not None
    }
