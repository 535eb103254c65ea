"""The configuration file: what it may say, and what is said of one that can't be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from esgrpc_console.configuration import (
    Configuration,
    ConfigurationError,
    Context,
    default_path,
    read_configuration,
)


def _write(directory: Path, text: str) -> Path:
    path = directory / "config.toml"
    path.write_text(text, "utf-8")
    return path


def test_all_that_it_may_say_is_read(tmp_path: Path) -> None:
    path = _write(
        tmp_path,
        """
theme = "nord"

[contexts.production]
addresses = ["orders.example.org:50051", "[::1]:50052"]
root_cert = "certificates/root.crt"
cert = "/etc/operator.crt"
key = "~/operator.key"
server_name = "orders"
read_only = true
colour = "red"

[contexts.production.addresses_of]
Orders = "localhost:50051"

[contexts.staging]
addresses = ["unix:/tmp/orders.sock"]

[keys]
"log.follow" = "f,end"
""",
    )
    configuration = read_configuration(path)
    assert configuration == Configuration(
        contexts={
            "production": Context(
                name="production",
                addresses=("orders.example.org:50051", "[::1]:50052"),
                addresses_of={"Orders": "localhost:50051"},
                root_cert=str(tmp_path / "certificates" / "root.crt"),
                cert="/etc/operator.crt",
                key=str(Path("~/operator.key").expanduser()),
                server_name="orders",
                is_read_only=True,
                colour="red",
            ),
            "staging": Context(name="staging", addresses=("unix:/tmp/orders.sock",)),
        },
        keys={"log.follow": "f,end"},
        theme="nord",
        path=path,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1", "colour = 1: this key is not known: there are contexts, keys, theme"),
        ("themes = 'x'", 'themes = "x": this key is not known: did you mean theme?'),
        ("theme = 3", 'theme = 3: it must be text, as in theme = "nord"'),
        ("theme = ' '", 'theme = " ": it must be text'),
        ("contexts = 3", "contexts = 3: it must be a table, as in [contexts]"),
        ("[contexts]\nx = 3", "contexts.x = 3: it must be a table, as in [contexts.x]"),
        ("[contexts.x]", 'contexts.x has no addresses: give it some, as in addresses = ["local'),
        ("[contexts.x]\naddresses = 'a:1'", 'contexts.x.addresses = "a:1": it must be a list'),
        ("[contexts.x]\naddresses = []", "contexts.x.addresses = []: it must be a list"),
        ("[contexts.x]\naddresses = [1]", "contexts.x.addresses = [1]: it must be a list"),
        (
            "[contexts.x]\naddresses = ['here']",
            "'here' is not an address: it has no port. A good one is localhost:50051",
        ),
        (
            "[contexts.x]\naddresses = ['a:1']\naddresses_of = {Orders = 'b'}",
            "contexts.x.addresses_of.Orders = \"b\": 'b' is not an address: it has no port",
        ),
        (
            "[contexts.x]\naddresses = ['a:1']\nread_only = 'yes'",
            'contexts.x.read_only = "yes": it must be true or false, as in read_only = true',
        ),
        (
            "[contexts.x]\naddresses = ['a:1']\ncolor = 'red'",
            'contexts.x.color = "red": this key is not known: did you mean colour?',
        ),
        (
            "[contexts.x]\naddresses = ['a:1']\ncolour = 'reddish'",
            'contexts.x.colour = "reddish": it must be one of red, yellow',
        ),
        (
            "[contexts.x]\naddresses = ['a:1']\ncert = 'x.crt'",
            'contexts.x.cert = "x.crt": without root_cert, key it is of no use',
        ),
        ("[contexts.'x y']\naddresses = 1", 'contexts."x y".addresses = 1: it must be a list'),
        ("[keys]\nx = 1", 'keys.x = 1: it must be text, as in x = "f"'),
        ("theme = ", "this is not TOML: "),
        ("theme = 'a'\ntheme = 'b'", "this is not TOML: "),
        ("[contexts.x]\naddresses = ['" + "a" * 200 + "']", "…: "),
    ],
)
def test_what_means_nothing_is_named_on_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = _write(tmp_path, text)
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert said in message
    assert "\n" not in message


def test_a_file_that_was_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(ConfigurationError, match="does not exist"):
        read_configuration(missing)
    monkeypatch.setenv("ESGRPC_CONSOLE_CONFIG", str(missing))
    with pytest.raises(ConfigurationError, match=r"missing\.toml' does not exist"):
        read_configuration()
    with pytest.raises(ConfigurationError, match="can't be read"):
        read_configuration(tmp_path)


def test_text_in_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"theme = '\xff'")
    with pytest.raises(ConfigurationError, match="not text in UTF-8"):
        read_configuration(path)


def test_without_a_file_in_the_usual_place_nothing_is_configured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ESGRPC_CONSOLE_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read_configuration() == Configuration()
    usual = default_path()
    assert usual.is_relative_to(tmp_path)
    usual.parent.mkdir(parents=True)
    usual.write_text("theme = 'nord'", "utf-8")
    assert read_configuration().theme == "nord"


def test_a_context_that_there_is_not_is_answered_with_those_there_are(tmp_path: Path) -> None:
    empty = Configuration(path=tmp_path / "config.toml")
    with pytest.raises(ConfigurationError, match=r"no context 'x': .*config\.toml has none"):
        empty.context("x")
    path = _write(
        tmp_path, "[contexts.b]\naddresses = ['a:1']\n[contexts.a]\naddresses = ['a:1']\n"
    )
    with pytest.raises(ConfigurationError, match="it has a, b"):
        read_configuration(path).context("x")
