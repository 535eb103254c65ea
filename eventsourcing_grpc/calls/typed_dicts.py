"""Lets pydantic take the typed dictionaries of Python 3.11's ``typing`` module.

Pydantic takes them from Python 3.12 on, where they remember which of their keys are required:
see https://errors.pydantic.dev/latest/u/typed-dict-version.
"""

from __future__ import annotations

import functools
import operator
import sys
import types
import typing

import typing_extensions

# An annotation may be anything.
_Annotation = typing.Any


def with_known_typed_dicts(annotation: _Annotation) -> _Annotation:
    """Returns an annotation with equal typed dictionaries that pydantic can take.

    Raises ``RecursionError`` for typed dictionaries that contain themselves.
    """
    if sys.version_info >= (3, 12):
        return annotation
    return _converted(annotation)


def _converted(annotation: _Annotation) -> _Annotation:
    if typing.is_typeddict(annotation):
        return _equal_typed_dict(annotation)
    origin: object = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if origin is typing.Annotated:
        return typing.Annotated[_converted(arguments[0]), *annotation.__metadata__]
    converted = tuple(map(_converted, arguments))
    if all(new is old for new, old in zip(converted, arguments, strict=True)):
        return annotation
    if origin in (typing.Union, types.UnionType):
        return functools.reduce(operator.or_, converted)
    if isinstance(annotation, types.GenericAlias):
        return annotation.__origin__[converted]  # type: ignore[index]
    return annotation.copy_with(converted)


def _equal_typed_dict(typed_dict: _Annotation) -> _Annotation:
    if type(typed_dict).__module__ != "typing":
        return typed_dict
    hints = typing.get_type_hints(typed_dict, include_extras=True)
    fields = {
        name: _qualified(hint, name in typed_dict.__required_keys__) for name, hint in hints.items()
    }
    return types.new_class(
        typed_dict.__name__,
        (typing_extensions.TypedDict,),
        exec_body=lambda namespace: namespace.update(
            __annotations__=fields,
            __module__=typed_dict.__module__,
            __doc__=typed_dict.__doc__,
        ),
    )


def _qualified(hint: _Annotation, is_required: bool) -> _Annotation:
    # Annotations that were strings say themselves what '__required_keys__' has missed.
    origin: object = typing.get_origin(hint)
    if origin in (typing.Required, typing.NotRequired):
        is_required = origin is typing.Required
        hint = typing.get_args(hint)[0]
    qualifier = typing_extensions.Required if is_required else typing_extensions.NotRequired
    return qualifier[_converted(hint)]
