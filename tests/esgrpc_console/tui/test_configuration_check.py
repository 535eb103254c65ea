"""Keys and themes of the configuration file that the console does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from esgrpc_console.configuration import Configuration, ConfigurationError
from esgrpc_console.tui.actions import ACTIONS
from esgrpc_console.tui.configuration_check import check_configuration

PATH = Path("/home/me/config.toml")


def _check(keys: dict[str, str] | None = None, theme: str = "") -> None:
    check_configuration(Configuration(keys=keys or {}, theme=theme, path=PATH))


def test_what_the_console_has_may_be_configured() -> None:
    _check({info.id: info.keys for info in ACTIONS}, "colour-blind-safe")
    _check({"log.follow": "f, ctrl+f,?,€,alt+enter,ctrl+shift+left,shift+tab,+"}, "nord")
    check_configuration(Configuration())


@pytest.mark.parametrize(
    ("action", "key", "said"),
    [
        ("log.folow", "f", "there is no action 'log.folow': did you mean log.follow?"),
        ("?", "f", "there is no action '?': a good one is log.follow"),
        ("log.follow", "f,esc", "there is no key 'esc': did you mean escape?"),
        ("log.follow", "page up", "there is no key 'page up': did you mean pageup?"),
        ("log.follow", "Ctrl-F", "there is no key 'Ctrl-F': did you mean ctrl+f?"),
        ("log.follow", "ctrl+F", "there is no key 'ctrl+F': did you mean ctrl+f?"),
        ("log.follow", "shift+f", "there is no key 'shift+f': did you mean F?"),
        ("log.follow", "shift+ctrl+up", "there is no key 'shift+ctrl+up': did you mean ctrl+shift"),
        ("log.follow", "hyphen_minus", "there is no key 'hyphen_minus': did you mean minus?"),
        ("log.follow", ",", "there is no key '': did you mean comma?"),
        ("log.follow", "nothing like it", "there is no key 'nothing like it': a good one is f"),
    ],
)
def test_a_key_that_there_is_not_is_answered_with_one_there_is(
    action: str, key: str, said: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        _check({action: key})
    message = str(caught.value)
    assert message.startswith(f"{PATH}: keys.")
    assert f' = "{key}": {said}' in message
    assert "\n" not in message


def test_a_theme_that_there_is_not_is_answered_with_one_there_is() -> None:
    with pytest.raises(ConfigurationError) as caught:
        _check(theme="nrod")
    assert str(caught.value) == (
        f'{PATH}: theme = "nrod": there is no such theme: did you mean nord?'
    )
    with pytest.raises(ConfigurationError, match=r"there are .*colour-blind-safe, .*nord"):
        _check(theme="???")
