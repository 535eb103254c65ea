"""Completion in shells: the scripts that ask for it, and the answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    split_arg_string,
)

_VARIABLE = "_ESGRPC_CONSOLE_COMPLETE"
_SOURCE = """\
%(complete_func)s() {
    local IFS=$'\\n' type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                COMPREPLY+=("$value")
                [[ $value == *= ]] && compopt -o nospace
                ;;
        esac
    done < <(env COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _BashComplete(BashComplete):
    """Knows that Bash takes ``@``, ``=`` and ``:`` for the ends of words, and click does not."""

    source_template: ClassVar[str] = _SOURCE

    def source(self) -> str:
        """Returns the script, without asking which Bash there is on this machine."""
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        """Returns the words before the one that is being typed, and that."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)
        is_new = not words or line[-1:].isspace()
        return (words[1:], "") if is_new else (words[1:-1], words[-1])

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """Returns what may follow, each without what Bash takes for words before it."""
        breaks = [mark for mark in os.environ.get("COMP_WORDBREAKS", "") if not mark.isspace()]
        done = max((incomplete.rfind(mark) + 1 for mark in breaks), default=0)
        items = super().get_completions(args, incomplete)
        for item in items:
            if item.type == "plain" and item.value.startswith(incomplete[:done]):
                item.value = item.value[done:]
        return items


_SHELLS: Mapping[str, type[ShellComplete]] = MappingProxyType(
    {"bash": _BashComplete, "zsh": ZshComplete, "fish": FishComplete}
)


def answer_shell(program: click.Command, name: str) -> bool:
    """Answers a shell that asks what may follow, and tells whether one has asked."""
    shell, _, asked = os.environ.get(_VARIABLE, "").partition("_")
    if shell not in _SHELLS or asked != "complete":
        return False
    click.echo(_SHELLS[shell](program, {}, name, _VARIABLE).complete())
    return True


@click.command(epilog="""\b
Examples:
  eval "$(esgrpc-console completion bash)"         in ~/.bashrc
  eval "$(esgrpc-console completion zsh)"          in ~/.zshrc, behind compinit
  esgrpc-console completion fish | source          in ~/.config/fish/config.fish
""")
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Write the script that lets a shell complete commands.

    Besides commands and options it completes contexts of the configuration file, and names of
    applications and methods where a server answers within half a second.
    """
    root = context.find_root()
    name = root.info_name or ""
    click.echo(_SHELLS[shell](root.command, {}, name, _VARIABLE).source(), nl=False)
