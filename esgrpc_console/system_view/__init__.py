"""Live state of a system of application servers: discovery, connections, calls. No terminal here.

The console's screens and its headless commands show the same objects from here, so that the
two cannot disagree::

    async with SystemView("localhost:50051") as system:
        for application in system.state.applications.values():
            print(application.name, application.health.word)
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
