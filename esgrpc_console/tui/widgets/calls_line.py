"""Makes calls, one at a time, remembers them, and shows on one line what is or was called."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from textual import on, work
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from esgrpc_console.call_history import CallHistory, Outcome, PastCall
from esgrpc_console.system_view import words
from esgrpc_console.system_view.argument_fit import without_secrets
from esgrpc_console.system_view.json_schema import ArgumentsType
from esgrpc_console.tui.method_calls import Call, CallEnd, Clocks, Repetition, call_once
from esgrpc_console.tui.past_call_words import past_call_words
from esgrpc_console.tui.session import Session

PROGRESS_SECONDS = 0.25
_GAP = "   "
_MAX_SHOWN = 12


@dataclass(frozen=True)
class Running:
    """What is under way."""

    call: Call
    started: float
    """A reading of the session's clock."""
    repetition: Repetition | None = None
    """None: it is one call."""


class CallsLine(Widget):
    """Shows what is being called, or as many of the last calls as have room, newest first."""

    DEFAULT_CSS = """
    CallsLine {
        height: 1;
        padding: 0 1;
        background: $surface;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    class Ended(Message):
        """Posted when a call has ended."""

        def __init__(self, end: CallEnd) -> None:
            super().__init__()
            self.end = end

    class Repeated(Message):
        """Posted when a repetition has ended."""

        def __init__(self, repetition: Repetition) -> None:
            super().__init__()
            self.repetition = repetition

    class Progressed(Message):
        """Posted a few times a second while a call is under way."""

        def __init__(self, running: Running) -> None:
            super().__init__()
            self.running = running

    class HistoryKnown(Message):
        """Posted when the history has been read."""

    class _CallEnded(Message):
        def __init__(self, end: CallEnd) -> None:
            super().__init__()
            self.end = end

    class _RepetitionEnded(Message):
        def __init__(self, repetition: Repetition) -> None:
            super().__init__()
            self.repetition = repetition

    class _Written(Message):
        pass

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._clocks = Clocks(session.wall_clock, session.clock)
        self._history = CallHistory(session.history_path)
        self._application = ""
        self._progress: Timer | None = None
        self.running: Running | None = None
        """What is under way. None: nothing is."""

    def on_mount(self) -> None:
        """Reads the history."""
        self._progress = self.set_interval(PROGRESS_SECONDS, self._tell_progress, pause=True)
        self.load()

    def on_unmount(self) -> None:
        """Remembers what is given up because of that, before the console may end."""
        running = self.running
        if running is not None:
            self.running = None
            at, outcome, text = self._session.wall_clock(), Outcome.UNKNOWN, "left"
            seconds = self._session.clock() - running.started
            done = running.repetition.done if running.repetition else 1
            self._history.write(
                self._past(running.call, at, outcome, seconds, text, times=max(1, done))
            )

    def show_application(self, application: str) -> None:
        """Shows the calls of an application."""
        if application != self._application:
            self._application = application
            self.refresh()

    @property
    def calls(self) -> Sequence[PastCall]:
        """The calls that were made in this system, newest last."""
        system = self._system
        return [call for call in self._history.calls if call.system == system]

    @property
    def seconds(self) -> float:
        """For how long something has been under way."""
        return 0.0 if self.running is None else self._session.clock() - self.running.started

    def start(self, call: Call) -> None:
        """Makes a call. None may be under way."""
        self._begin(Running(call, self._session.clock()))
        self._call(call)

    def repeat(self, call: Call, times: int, *, pause: float, stops_at_error: bool) -> None:
        """Makes many calls. None may be under way.

        :param pause: between two calls, in seconds.
        """
        repetition = Repetition(call, self._clocks, times, pause, stops_at_error)
        self._begin(Running(call, self._session.clock(), repetition))
        self._repeat(repetition)

    def give_up(self) -> None:
        """Waits no longer for what is under way. Whether it is carried out isn't known."""
        running = self.running
        if running is None:
            return
        self.workers.cancel_group(self, "call")
        if running.repetition is not None:
            running.repetition.is_over = True
            self._finish_repetition(running.repetition)
        else:
            now = self._session.wall_clock()
            self._finish(CallEnd(running.call, now, self.seconds))

    @work(exclusive=True, group="history", exit_on_error=False)
    async def load(self) -> None:
        """Reads the history: other consoles may have written to it. Then posts that it is known."""
        await asyncio.to_thread(self._history.load)
        self.post_message(self.HistoryKnown())

    @work(group="call", exit_on_error=False)
    async def _call(self, call: Call) -> None:
        end = await call_once(self._session.operations, call, self._clocks)
        self.post_message(self._CallEnded(end))

    @work(group="call", exit_on_error=False)
    async def _repeat(self, repetition: Repetition) -> None:
        await repetition.run(self._session.operations)
        self.post_message(self._RepetitionEnded(repetition))

    @on(_CallEnded)
    def finish_call(self, message: _CallEnded) -> None:
        """Tells how a call ended, unless it was given up before."""
        message.stop()
        if self.running is not None and self.running.call is message.end.call:
            self._finish(message.end)

    @on(_RepetitionEnded)
    def finish_repetition(self, message: _RepetitionEnded) -> None:
        """Tells how a repetition ended, unless it was given up before."""
        message.stop()
        if self.running is not None and self.running.repetition is message.repetition:
            self._finish_repetition(message.repetition)

    @on(HistoryKnown)
    @on(_Written)
    def draw_history(self) -> None:
        """Shows what is known now."""
        self.refresh()

    def render(self) -> Content:
        """What is under way, or the history."""
        running = self.running
        if running is not None:
            name = words.line(running.call.method.name)
            told = f"{_GAP}{name}  {self.seconds:.1f} s   esc gives it up"
            return Content.assemble(("CALLING", "bold"), told)
        parts: list[Content | str | tuple[str, str]] = [("HISTORY", "$text-muted")]
        room = self.size.width - len("HISTORY")
        if self._history.problem:
            parts.append((f"{_GAP}{words.line(self._history.problem)}", "$text-warning"))
        shown = [call for call in self.calls if call.application == self._application]
        for i, call in enumerate(reversed(shown[-_MAX_SHOWN:])):
            told = past_call_words(call)
            room -= cell_len(told) + len(_GAP)
            if room < 0 and i:
                break
            style = "" if call.outcome is Outcome.RETURNED else "$text-error"
            parts.append((f"{_GAP}{told}", style))
        if not shown and not self._history.problem:
            parts.append((f"{_GAP}nothing has been called yet", "dim"))
        return Content.assemble(*parts)

    def _begin(self, running: Running) -> None:
        self.running = running
        if self._progress is not None:
            self._progress.resume()
        self._tell_progress()

    def _tell_progress(self) -> None:
        # Nothing is drawn while another screen is seen.
        if self.running is not None and self.screen.is_current:
            self.refresh()
            self.post_message(self.Progressed(self.running))

    def _finish(self, end: CallEnd) -> None:
        self._stop()
        seconds = end.seconds if end.result is None else end.result.seconds
        self._remember(self._past(end.call, end.at, end.outcome, seconds, end.text))
        self.post_message(self.Ended(end))

    def _finish_repetition(self, repetition: Repetition) -> None:
        self._stop()
        told = repetition.told()
        is_complete = repetition.done == repetition.times and not repetition.failed
        past = self._past(
            repetition.call,
            repetition.at or self._session.wall_clock(),
            Outcome.RETURNED if is_complete else Outcome.FAILED,
            repetition.seconds,
            f"{told['calls']}, {told['failed']} failed, p50 {told['p50']}",
            times=repetition.done,
        )
        self._remember(past)
        self.post_message(self.Repeated(repetition))

    def _stop(self) -> None:
        self.running = None
        if self._progress is not None:
            self._progress.pause()

    def _past(
        self,
        call: Call,
        at: datetime,
        outcome: Outcome,
        seconds: float,
        text: str,
        times: int = 1,
    ) -> PastCall:
        type = ArgumentsType(call.method.parameters_schema)
        return PastCall(
            at=at,
            system=self._system,
            context=self._session.context,
            application=call.application,
            method=call.method.name,
            arguments=without_secrets(type, call.arguments),
            outcome=outcome,
            seconds=seconds,
            text=text,
            times=times,
        )

    def _remember(self, past: PastCall) -> None:
        self._history.remember(past)
        self.refresh()
        # By the app: it is written though the screen may be left before.
        self.app.run_worker(self._write(past), group="call history", exit_on_error=False)

    async def _write(self, past: PastCall) -> None:
        await asyncio.to_thread(self._history.write, past)
        if self._history.problem and self.is_attached:
            self.post_message(self._Written())

    @property
    def _system(self) -> str:
        return self._session.operations.state.system_topic or self._session.title
