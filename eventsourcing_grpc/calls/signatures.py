"""Signatures of methods as callers see them: without 'self', and in words for people."""

from __future__ import annotations

import inspect
import sys
import types
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Literal, Union, get_args, get_origin

_MAX_DEFAULT_LENGTH = 40


def call_signature(owner: type, name: str, definition: object) -> inspect.Signature:
    """Returns the signature of a method without the parameter that its instance or class goes to.

    'definition' is what the class's dictionary has: a function, static method, class method, ....
    """
    signature = _signature(getattr(owner, name))
    if isinstance(definition, staticmethod | classmethod):
        return signature
    parameters = list(signature.parameters.values())
    if parameters and parameters[0].kind in (
        inspect.Parameter.POSITIONAL_ONLY,
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
    ):
        del parameters[0]
    return signature.replace(parameters=parameters)


def _signature(function: Callable[..., object]) -> inspect.Signature:
    if sys.version_info >= (3, 14):
        import annotationlib

        # Names that are imported for type checkers only must not be evaluated.
        return inspect.signature(function, annotation_format=annotationlib.Format.STRING)
    return inspect.signature(function)


class _Shown:
    """Stands in a signature for what would be shown otherwise."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def shown_signature(signature: inspect.Signature) -> str:
    """Returns the signature as its author would write it: ``(order_id: UUID) -> bool``."""
    parameters = [
        parameter.replace(
            annotation=(
                parameter.annotation
                if parameter.annotation is parameter.empty
                else _Shown(shown_annotation(parameter.annotation))
            ),
            default=(
                parameter.default
                if parameter.default is parameter.empty
                else _Shown(_shown_default(parameter.default))
            ),
        )
        for parameter in signature.parameters.values()
    ]
    returned = signature.return_annotation
    if returned is not signature.empty:
        returned = _Shown(shown_annotation(returned))
    return str(signature.replace(parameters=parameters, return_annotation=returned))


def shown_annotation(annotation: object) -> str:
    """Returns an annotation without the names of modules."""
    if isinstance(annotation, str):
        return annotation
    if annotation is None or annotation is type(None):
        return "None"
    if annotation is Ellipsis:
        return "..."
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None or not arguments:
        name = getattr(annotation, "__qualname__", None) or getattr(annotation, "__name__", None)
        return name if isinstance(name, str) else inspect.formatannotation(annotation)
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is Annotated:
        return shown_annotation(arguments[0])
    shown = [
        f"[{', '.join(map(shown_annotation, a))}]" if isinstance(a, list) else shown_annotation(a)
        for a in arguments
    ]
    if origin in (Union, types.UnionType):
        return " | ".join(shown)
    return f"{shown_annotation(origin)}[{', '.join(shown)}]"


def _shown_default(default: object) -> str:
    if isinstance(default, Enum):
        return f"{type(default).__qualname__}.{default.name}"
    try:
        text = repr(default)
    except Exception:
        # A default's own code may raise anything.
        return "..."
    return text if len(text) <= _MAX_DEFAULT_LENGTH and "\n" not in text else "..."
