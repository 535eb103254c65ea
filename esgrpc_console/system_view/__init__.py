"""Live state of a system of application servers, and what can be done with it: asyncio, no terminal.

The console's screens and its headless commands show the same objects from here, so that the
two cannot disagree. It is also for scripts and notebooks, which need none of the applications' code.
The address of any server is enough::

    import asyncio
    import json

    from esgrpc_console.system_view import LogFilter, SystemView

    async def main() -> None:
        async with SystemView("localhost:50051") as system:
            # How it is. What is in system.state is kept current while the context is entered.
            await system.wait_until_heard()
            for application in system.state.applications.values():
                print(application.name, application.health.word)
            for following in system.state.followings:
                print(following.follower, following.leader, following.state.word, following.lag)

            # Calls take arguments, and return results, as JSON.
            result = await system.call_method("Orders", "create_new_order", {})
            order_id = json.loads(result.result)

            # Until everything that was recorded has been followed, and what that has led to.
            await system.wait_until(lambda condition: condition.is_caught_up, timeout=30)

            # Everything that mentions the order, in all applications, in the order of time.
            trace = await system.trace(order_id)
            for traced in trace.events:
                print(traced.application, traced.event.id, traced.event.short_topic, traced.mention)

            # The newest payment, without reading the log: its server looks for it.
            async for event in system.search("Orders", LogFilter(text="Paid")):
                print(event.id)
                break

            # What is recorded, as it is recorded, over lost connections, until it is left.
            async for event in system.tail("Orders", after=12_000):
                print(event.id, event.topic, event.state)

    asyncio.run(main())

In a notebook, whose cells share one event loop, it is kept open from cell to cell by a stack::

    stack = contextlib.AsyncExitStack()
    options = ConnectionOptions(
        root_certificate="root.crt", certificate="me.crt", private_key="me.key"
    )
    system = await stack.enter_async_context(SystemView("orders:50051", options=options))
    ...
    await stack.aclose()

What goes wrong is raised as :class:`RequestFailed`, whose text is one line for people. All that comes
from a server may have been written by anybody: ``words.line`` and ``words.block`` make it fit to be
shown.
"""

from esgrpc_console.system_view.changes import Changes
from esgrpc_console.system_view.condition import Condition
from esgrpc_console.system_view.differences import MISSING, Difference, differences
from esgrpc_console.system_view.event_cache import EventCache
from esgrpc_console.system_view.failures import (
    CallFailed,
    LogReplaced,
    RequestFailed,
    ServerUnavailable,
    SystemUnreachable,
)
from esgrpc_console.system_view.log_filter import LogFilter
from esgrpc_console.system_view.log_tail import tail_log
from esgrpc_console.system_view.log_window import End, LogWindow
from esgrpc_console.system_view.operations import SystemOperations
from esgrpc_console.system_view.options import ConnectionOptions, OptionError
from esgrpc_console.system_view.parameters import Parameter, argument_from_text
from esgrpc_console.system_view.problems import Problem, find_problems, summarise
from esgrpc_console.system_view.searching import LogSearch, SearchProgress
from esgrpc_console.system_view.system_state import SystemState
from esgrpc_console.system_view.system_view import SystemView
from esgrpc_console.system_view.tracing import Trace, TracedEvent
from esgrpc_console.system_view.views import (
    AggregateView,
    ApplicationStatus,
    ApplicationView,
    CallResult,
    CertificateView,
    Description,
    EventPage,
    EventView,
    FollowingError,
    FollowingState,
    FollowingStatus,
    FollowingView,
    Health,
    MethodView,
    PositionSample,
    Versions,
)

__all__ = [
    "MISSING",
    "AggregateView",
    "ApplicationStatus",
    "ApplicationView",
    "CallFailed",
    "CallResult",
    "CertificateView",
    "Changes",
    "Condition",
    "ConnectionOptions",
    "Description",
    "Difference",
    "End",
    "EventCache",
    "EventPage",
    "EventView",
    "FollowingError",
    "FollowingState",
    "FollowingStatus",
    "FollowingView",
    "Health",
    "LogFilter",
    "LogReplaced",
    "LogSearch",
    "LogWindow",
    "MethodView",
    "OptionError",
    "Parameter",
    "PositionSample",
    "Problem",
    "RequestFailed",
    "SearchProgress",
    "ServerUnavailable",
    "SystemOperations",
    "SystemState",
    "SystemUnreachable",
    "SystemView",
    "Trace",
    "TracedEvent",
    "Versions",
    "argument_from_text",
    "differences",
    "find_problems",
    "summarise",
    "tail_log",
]
