"""Chooses the widget that takes a value of a type."""

from __future__ import annotations

from functools import partial

from esgrpc_console.system_view.argument_fit import MAX_DEPTH
from esgrpc_console.system_view.argument_text import ONE_LINE
from esgrpc_console.system_view.json_schema import ArgumentField, Kind
from esgrpc_console.tui.widgets.arguments.choice_editor import ChoiceEditor
from esgrpc_console.tui.widgets.arguments.editor import ArgumentEditor
from esgrpc_console.tui.widgets.arguments.field import Field
from esgrpc_console.tui.widgets.arguments.field_label import Widths
from esgrpc_console.tui.widgets.arguments.json_editor import JsonEditor
from esgrpc_console.tui.widgets.arguments.list_editor import ListEditor
from esgrpc_console.tui.widgets.arguments.object_editor import (
    MakeField,
    ObjectEditor,
    TupleEditor,
)
from esgrpc_console.tui.widgets.arguments.services import FormServices
from esgrpc_console.tui.widgets.arguments.text_editor import TextEditor
from esgrpc_console.tui.widgets.arguments.union_editor import UnionEditor


def field_maker(services: FormServices, depth: int = 0) -> MakeField:
    """Returns what makes fields.

    :param depth: how deep in the arguments they are: too deep, JSON is written.
    """

    def make_field(field: ArgumentField, widths: Widths) -> Field:
        return Field(field, partial(_make_editor, services=services, depth=depth), widths)

    return make_field


def _make_editor(field: ArgumentField, *, services: FormServices, depth: int) -> ArgumentEditor:
    kind = field.type.kind
    if kind in ONE_LINE:
        return TextEditor(field, services)
    if kind in {Kind.CHOICE, Kind.BOOLEAN, Kind.NONE}:
        return ChoiceEditor(field)
    if kind is Kind.MAPPING or depth >= MAX_DEPTH:
        return JsonEditor(field.type)
    nested = field_maker(services, depth + 1)
    match kind:
        case Kind.LIST:
            return ListEditor(field.type, nested)
        case Kind.TUPLE:
            return TupleEditor(field.type, nested)
        case Kind.UNION:
            return UnionEditor(field.type, nested)
        case _:
            return ObjectEditor(field.type, nested)
