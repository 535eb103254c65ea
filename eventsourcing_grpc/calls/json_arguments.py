"""Arguments of methods as JSON: their JSON Schema, and their conversion by type annotations.

Importing this takes as long as importing pydantic does, so import it where it is used.
What values look like as JSON is left to ``json_values``.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator, Sequence
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaWarningKind
from pydantic_core import ErrorDetails, from_json, to_json

from eventsourcing_grpc.calls.json_values import to_json_text
from eventsourcing_grpc.calls.typed_dicts import with_known_typed_dicts
from eventsourcing_grpc.errors import ArgumentsError
from eventsourcing_grpc.methods import ExposedMethod

# Pydantic's word for a type, which is whatever an annotation may be.
_Annotation = typing.Any

_MAX_VIOLATIONS = 20
_MAX_VIOLATION_LENGTH = 300
_MODE: JsonSchemaMode = "validation"
_CONFIG = ConfigDict(extra="forbid", val_json_bytes="base64")
_CONFIG_WITH_EXTRA = ConfigDict(extra="allow", val_json_bytes="base64")


def parameters_schema(method: ExposedMethod) -> str:
    """Returns the JSON Schema of an object that has a property for each parameter of a method.

    What a type annotation doesn't tell, or can't be said of JSON, is described as any JSON value.
    """
    return _converter(method).schema


def arguments_from_json(method: ExposedMethod, text: str) -> tuple[list[object], dict[str, object]]:
    """Converts a JSON object that has a member for each argument, by the method's annotations.

    An empty text stands for no arguments. Members for ``*args`` are arrays, and for ``**kwargs``
    whatever names aren't taken. Returns positional arguments, and arguments by name.

    Raises ``ArgumentsError``, whose 'violations' say for each parameter what is wrong.
    """
    return _converter(method).convert(text)


@lru_cache(maxsize=1_000)
def _converter(method: ExposedMethod) -> _Converter:
    return _Converter(method)


class _SchemaGenerator(GenerateJsonSchema):
    """Leaves out of a schema, without a warning, the defaults that aren't JSON."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Does nothing: the schema is for showing, and tells as much as it can."""


class _Converter:
    """Converts JSON to the arguments of one method."""

    def __init__(self, method: ExposedMethod) -> None:
        self._method = method
        self._parameters = list(method.parameters.parameters.values())
        annotations = dict(_json_annotations(method))
        self._names = {
            f"argument_{i}": parameter.name
            for i, parameter in enumerate(self._parameters)
            if parameter.kind is not parameter.VAR_KEYWORD
        }
        self._extra: TypeAdapter[object] | None = None
        for parameter in self._parameters:
            if parameter.kind is parameter.VAR_KEYWORD:
                self._extra = _type_adapter(annotations[parameter.name])
        fields: dict[str, _Annotation] = {
            f"argument_{i}": _field(parameter, annotations[parameter.name])
            for i, parameter in enumerate(self._parameters)
            if parameter.kind is not parameter.VAR_KEYWORD
        }
        self._model: type[BaseModel] = create_model(
            method.name,
            __config__=_CONFIG if self._extra is None else _CONFIG_WITH_EXTRA,
            **fields,
        )
        self.schema = to_json(self._construct_schema()).decode()

    def _construct_schema(self) -> dict[str, object]:
        schema = self._model.model_json_schema(schema_generator=_SchemaGenerator)
        schema.setdefault("properties", {})
        schema["title"] = self._method.name
        if self._extra is not None:
            extra = self._extra.json_schema(schema_generator=_SchemaGenerator, mode=_MODE)
            definitions = {**schema.get("$defs", {}), **extra.pop("$defs", {})}
            if definitions:
                schema["$defs"] = definitions
            schema["additionalProperties"] = extra or True
        return schema

    def convert(self, text: str) -> tuple[list[object], dict[str, object]]:
        try:
            arguments = self._model.model_validate_json(text if text.strip() else "{}")
        except ValidationError as error:
            raise self._explain(error.errors(include_url=False, include_input=False)) from None
        given = {
            self._names[field]: getattr(arguments, field)
            for field in arguments.model_fields_set
            if field in self._names
        }
        args: list[object] = []
        kwargs = self._convert_extra(arguments.model_extra or {})
        is_by_position = self._has_var_positional(given)
        for parameter in self._parameters:
            name = parameter.name
            if parameter.kind is parameter.VAR_POSITIONAL:
                args.extend(given.get(name, ()))
            elif parameter.kind is parameter.POSITIONAL_ONLY or (
                is_by_position and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            ):
                if name in given:
                    args.append(given[name])
                elif is_by_position or self._is_followed_by_position(parameter, given):
                    args.append(parameter.default)
            elif name in given:
                kwargs[name] = given[name]
        return args, kwargs

    def _has_var_positional(self, given: typing.Mapping[str, object]) -> bool:
        return any(
            parameter.kind is parameter.VAR_POSITIONAL and given.get(parameter.name)
            for parameter in self._parameters
        )

    def _is_followed_by_position(
        self, left_out: inspect.Parameter, given: typing.Mapping[str, object]
    ) -> bool:
        """Tells whether a later argument that has no name makes the default be given too."""
        later = self._parameters[self._parameters.index(left_out) + 1 :]
        return any(p.kind is p.POSITIONAL_ONLY and p.name in given for p in later)

    def _convert_extra(self, extra: typing.Mapping[str, object]) -> dict[str, object]:
        if self._extra is None or not extra:
            return {}
        converted: dict[str, object] = {}
        details: list[ErrorDetails] = []
        for name, value in extra.items():
            try:
                converted[name] = self._extra.validate_json(to_json(value))
            except ValidationError as error:
                for detail in error.errors(include_url=False, include_input=False):
                    detail["loc"] = (name, *detail["loc"])
                    details.append(detail)
        if details:
            raise self._explain(details)
        return converted

    def _explain(self, details: Sequence[ErrorDetails]) -> ArgumentsError:
        called = f"{self._method.application_name}.{self._method.name}"
        if details[0]["type"] == "json_invalid":
            cause = details[0].get("ctx", {}).get("error", "")
            return ArgumentsError(f"{called}: the arguments are not JSON: {cause}")
        if not details[0]["loc"]:
            return ArgumentsError(f"{called}: the arguments must be a JSON object")
        violations: dict[str, str] = {}
        for detail in details:
            name, text = str(detail["loc"][0]), _violation(detail)
            if name in violations:
                text = f"{violations[name]}; {text}"
            elif len(violations) == _MAX_VIOLATIONS:
                break
            violations[name] = _shorten(text)
        told = "; ".join(f"{name}: {text}" for name, text in violations.items())
        return ArgumentsError(f"{called}: {told}", violations)


def _json_annotations(method: ExposedMethod) -> Iterator[tuple[str, _Annotation]]:
    """Yields the name and the type of each parameter. What JSON can't be converted to is Any."""
    hints = _type_hints(method)
    for parameter in method.parameters.parameters.values():
        annotation = hints.get(parameter.name, typing.Any)
        try:
            annotation = with_known_typed_dicts(annotation)
            if parameter.default is None and annotation is not typing.Any:
                annotation = annotation | None
            _type_adapter(annotation).json_schema(schema_generator=_SchemaGenerator, mode=_MODE)
        except (PydanticUserError, TypeError, NameError, AttributeError, RecursionError):
            annotation = typing.Any
        yield parameter.name, annotation


def _type_adapter(annotation: _Annotation) -> TypeAdapter[object]:
    try:
        return TypeAdapter(annotation, config=_CONFIG)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(annotation)


def _type_hints(method: ExposedMethod) -> dict[str, _Annotation]:
    namespace = dict(vars(method.owner))
    try:
        return typing.get_type_hints(method.function, None, namespace, include_extras=True)
    except Exception:
        # Evaluating may raise anything: some can be had one by one.
        return dict(_resolvable_type_hints(method, namespace))


def _resolvable_type_hints(
    method: ExposedMethod, namespace: dict[str, object]
) -> Iterator[tuple[str, _Annotation]]:
    names = getattr(inspect.unwrap(method.function), "__globals__", {})
    for parameter in method.parameters.parameters.values():
        if parameter.annotation is parameter.empty:
            continue

        def holder() -> None:
            """Has one annotation, so that it may fail alone."""

        holder.__annotations__ = {parameter.name: parameter.annotation}
        try:
            yield from typing.get_type_hints(holder, names, namespace, include_extras=True).items()
        except Exception:  # noqa: S112 (what can't be evaluated may be any JSON)
            continue


def _field(parameter: inspect.Parameter, annotation: _Annotation) -> tuple[_Annotation, object]:
    title = parameter.name.replace("_", " ").strip()
    title = title[:1].upper() + title[1:]
    if parameter.kind is parameter.VAR_POSITIONAL:
        items = list[annotation]
        return items, Field(alias=parameter.name, title=title, default_factory=list)
    if parameter.default is parameter.empty:
        return annotation, Field(alias=parameter.name, title=title)
    # The default itself is left to the method: it is shown, and never converted.
    return annotation, Field(
        alias=parameter.name,
        title=title,
        default_factory=lambda: None,
        json_schema_extra={"default": from_json(to_json_text(parameter.default))},
    )


def _violation(detail: ErrorDetails) -> str:
    if detail["type"] == "extra_forbidden" and len(detail["loc"]) == 1:
        return "There is no such parameter"
    place = "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"][1:]
    )
    return f"{place.removeprefix('.')}: {detail['msg']}" if place else detail["msg"]


def _shorten(text: str) -> str:
    if len(text) <= _MAX_VIOLATION_LENGTH:
        return text
    return text[: _MAX_VIOLATION_LENGTH - 1] + "…"
