"""Tracebacks name files as they are imported."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from eventsourcing_grpc.calls.tracebacks import format_traceback


def _error_of_json() -> Exception:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 (any will do)
        json.loads("{")
    return raised.value


def test_files_are_named_from_where_they_are_imported() -> None:
    text = format_traceback(_error_of_json())
    assert 'File "json/decoder.py", line ' in text
    assert str(Path(json.__file__).parents[1]) not in text
    assert "obj, end = self.scan_once(s, idx)" in text
    assert text.rstrip().endswith("line 1 column 2 (char 1)")


def test_causes_are_told_too() -> None:
    error = RuntimeError("outside")
    error.__cause__ = _error_of_json()
    text = format_traceback(ExceptionGroup("several", [error]))
    assert 'File "json/decoder.py"' in text
    assert str(Path(json.__file__).parents[1]) not in text
    assert "The above exception was the direct cause" in text


def test_any_number_of_causes_is_told() -> None:
    error: Exception = _error_of_json()
    for number in range(sys.getrecursionlimit() + 1):
        cause, error = error, RuntimeError(f"number {number}")
        error.__cause__ = cause
    text = format_traceback(error)
    assert 'File "json/decoder.py"' in text
    assert "RuntimeError: number 1000\n" in text


def test_files_elsewhere_keep_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "broken.py"
    path.write_text("def break_it():\n    raise KeyError('x')\n")
    monkeypatch.syspath_prepend(tmp_path)
    import broken  # type: ignore[import-not-found]

    with pytest.raises(KeyError) as raised:
        broken.break_it()
    assert 'File "broken.py", line 2, in break_it' in format_traceback(raised.value)
    sys.path.remove(str(tmp_path))
    assert f'File "{path}", line 2, in break_it' in format_traceback(raised.value)
