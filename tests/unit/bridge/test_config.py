# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file and the tokens: what is taken, and how a mistake is named."""

import dataclasses
import json
from pathlib import Path

import pytest
from odoo_lmtp_bridge.config import (
    MIB,
    Config,
    ConfigError,
    Database,
    Listen,
    load,
    parse,
    read_tokens,
)
from unit.bridge.harness import TOKEN

GOOD = {"name": "prod", "url": "https://odoo.acme.example/", "database": "prod"}
MAILER = {"host": "odoo.acme.example", "token": TOKEN}


def test_the_least() -> None:
    least = {"name": "prod", "url": "https://odoo.acme.example"}
    assert parse({"databases": [least]}) == Config((Database("prod", "https://odoo.acme.example", None),))


def test_everything() -> None:
    rpc = {"name": "b", "url": "https://b.example", "database": "b", "backend": "rpc", "login": "mail"}
    document = {
        "databases": [GOOD | {"ca_file": "/etc/ca.pem", "backend": "addon"}, rpc],
        "poll_interval": 5,
        "concurrency": 2,
        "message_size_limit": 1000,
        "byte_budget": 2000,
        "connection_limit": 10,
        "quarantine_limit": 3000,
        "shrink_limit": 0,
        "state_directory": "/var/lib/x",
        "socket": "/run/x",
        "aliases": "/etc/postfix/a",
        "transport": "/srv/t",
        "next_hop": "lmtp:unix:x",
        "webhook": "10.0.0.5:8025",
        "metrics": "[::1]:9000",
    }
    assert {*document} == {field.name for field in dataclasses.fields(Config)}
    config = parse(document)
    assert config == Config(
        databases=(
            Database("prod", "https://odoo.acme.example", "prod", Path("/etc/ca.pem"), "addon", None),
            Database("b", "https://b.example", "b", None, "rpc", "mail"),
        ),
        poll_interval=5,
        concurrency=2,
        message_size_limit=1000,
        byte_budget=2000,
        connection_limit=10,
        quarantine_limit=3000,
        shrink_limit=0,
        state_directory=Path("/var/lib/x"),
        socket=Path("/run/x"),
        aliases=Path("/etc/postfix/a"),
        transport=Path("/srv/t"),
        next_hop="lmtp:unix:x",
        webhook=Listen("10.0.0.5", 8025),
        metrics=Listen("::1", 9000),
    )
    assert [str(config.webhook), str(config.metrics)] == ["10.0.0.5:8025", "[::1]:9000"]


def test_maps_lie_in_the_state_directory_unless_they_are_named() -> None:
    config = parse({"databases": [GOOD], "state_directory": "/srv/x", "transport": "/srv/y/t"})
    assert (config.aliases, config.transport) == (Path("/srv/x/maps/aliases"), Path("/srv/y/t"))


@pytest.mark.parametrize("value", ["", None])
def test_web_servers_can_be_switched_off(value: object) -> None:
    config = parse({"databases": [GOOD], "webhook": value, "metrics": value})
    assert (config.webhook, config.metrics) == (None, None)


def test_the_file_of_odoo_mailer_as_it_is() -> None:
    config = parse(MAILER)
    assert config.databases == (Database("odoo", "https://odoo.acme.example", None),)
    assert config.aliases == Path("/etc/postfix/virtual_alias_odoo")
    assert config.transport == Path("/etc/postfix/transport_odoo")
    assert config.socket == Path("/var/spool/postfix/private/odoo-lmtp")
    assert config.next_hop == "lmtp:unix:private/odoo-lmtp"
    assert TOKEN not in repr(config)


def test_odoo_mailers_own_values_and_some_of_ours() -> None:
    paths = {"aliases": "/tmp/virtual", "transport": "/tmp/transport", "socket": "/tmp/socket"}
    config = parse(MAILER | paths | {"poll_interval": 5})
    assert (config.aliases, config.transport) == (Path("/tmp/virtual"), Path("/tmp/transport"))
    assert (config.next_hop, config.poll_interval) == ("lmtp:unix:/tmp/socket", 5)
    assert parse(MAILER | paths | {"next_hop": "odoo:unix:x"}).next_hop == "odoo:unix:x"


def test_odoo_mailers_token_is_in_the_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "odoo-mailer.yml"
    path.write_text(json.dumps(MAILER))
    path.chmod(0o640)
    assert read_tokens("odoo", path) == (TOKEN,)
    assert not caplog.records
    path.chmod(0o644)
    assert read_tokens("odoo", path) == (TOKEN,)
    assert "everybody here can read it" in caplog.text
    assert TOKEN not in caplog.text
    # A rotation needs two tokens: a file of their own then takes precedence.
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "odoo").write_text("one\ntwo\n")
    assert read_tokens("odoo", path) == ("one", "two")


def test_an_error_of_yaml_does_not_show_the_token(tmp_path: Path) -> None:
    path = tmp_path / "odoo-mailer.yml"
    path.write_text(f"host: x\ntoken: {TOKEN}: {TOKEN}\n")
    with pytest.raises(ConfigError, match="not YAML: .* in line 2") as caught:
        load(path)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("size", [1, 50 * MIB, 64 * MIB, 65 * MIB, 500 * MIB])
def test_two_of_the_largest_messages_fit_into_memory(size: int) -> None:
    config = parse({"databases": [GOOD], "message_size_limit": size})
    assert config.byte_budget == max(128 * MIB, 2 * size)


def test_one_of_the_largest_messages_fits_into_the_quarantine() -> None:
    assert parse({"databases": [GOOD], "message_size_limit": 2000 * MIB}).quarantine_limit == 2000 * MIB


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (None, "must be a mapping"),
        ([], "must be a mapping"),
        ({}, "databases:"),
        ({"databases": []}, "databases:"),
        ({"databases": GOOD}, "databases:"),
        ({"databases": ["prod"]}, r"databases\[0\]: must be a mapping"),
        ({"databases": [GOOD], "pol_interval": 5}, "unknown key 'pol_interval'"),
        ({"databases": [GOOD | {"token": "x"}]}, "unknown key 'token'"),
        ({"databases": [GOOD | {"name": "../x"}]}, r"databases\[0\].name"),
        ({"databases": [GOOD | {"name": "maps"}]}, r"databases\[0\].name: 'maps' names something"),
        ({"databases": [GOOD | {"name": 5}]}, r"databases\[0\].name"),
        ({"databases": [GOOD | {"database": "a\nb"}]}, r"databases\[0\].database"),
        ({"databases": [GOOD | {"url": "odoo.acme.example"}]}, r"databases\[0\].url"),
        ({"databases": [GOOD | {"url": "https://"}]}, r"databases\[0\].url"),
        ({"databases": [GOOD | {"url": "https://x:port"}]}, r"databases\[0\].url"),
        ({"databases": [GOOD | {"url": "https://u:p@x"}]}, "credentials"),
        ({"databases": [GOOD | {"url": "http://odoo.acme.example"}]}, "in clear"),
        ({"databases": [GOOD | {"ca_file": "ca.pem"}]}, "absolute path"),
        ({"databases": [GOOD, GOOD]}, "'prod' is there twice"),
        ({"databases": [GOOD, GOOD | {"name": "b"}]}, "database .* is there twice"),
        ({"databases": [GOOD | {"database": ""}]}, r"databases\[0\].database"),
        ({"databases": [GOOD | {"backend": "xml"}]}, r"databases\[0\].backend: 'xml' is neither"),
        ({"databases": [GOOD | {"backend": "rpc"}]}, r"databases\[0\].login: is needed"),
        ({"databases": [GOOD | {"backend": "rpc", "login": ""}]}, r"databases\[0\].login: a text"),
        (
            {"databases": [{"name": "b", "url": "https://x", "backend": "rpc", "login": "m"}]},
            r"databases\[0\].database: is needed",
        ),
        ({"databases": [GOOD | {"login": "m"}]}, r"databases\[0\].login: is only for"),
        ({"databases": [GOOD], "connection_limit": 0}, "connection_limit"),
        ({"databases": [GOOD], "quarantine_limit": 5}, "quarantine_limit: must not be less"),
        ({"databases": [GOOD], "shrink_limit": 101}, "shrink_limit"),
        ({"databases": [GOOD], "shrink_limit": True}, "shrink_limit"),
        ({"databases": [GOOD], "socket": "lmtp"}, "socket: .* absolute path"),
        ({"databases": [GOOD], "aliases": "/x", "transport": "/x"}, "transport: must not be"),
        ({"databases": [GOOD], "next_hop": "lmtp:unix:a b"}, "next_hop"),
        ({"databases": [GOOD], "next_hop": ""}, "next_hop"),
        ({"databases": [GOOD], "webhook": 8025}, "webhook: 8025 is not like"),
        ({"databases": [GOOD], "webhook": "8025"}, "webhook: '8025' is not like"),
        ({"databases": [GOOD], "webhook": ":8025"}, "webhook"),
        ({"databases": [GOOD], "webhook": "odoo.acme.example:8025"}, "webhook"),
        ({"databases": [GOOD], "webhook": "10.0.0.5:0"}, "webhook"),
        ({"databases": [GOOD], "webhook": "10.0.0.5:65536"}, "webhook"),
        ({"databases": [GOOD], "webhook": "127.0.0.1:9525"}, "webhook: must not be the address"),
        ({"databases": [GOOD], "metrics": "0.0.0.0:9525"}, "metrics: 0.0.0.0 can be reached"),
        (MAILER | {"databases": [GOOD]}, "host: .*databases is there as well"),
        (MAILER | {"host": "https://odoo.acme.example"}, "host: the name"),
        (MAILER | {"host": None}, "host: the name"),
        (MAILER | {"socket": "x"}, "socket: .* absolute path"),
        (MAILER | {"retries": 5}, "unknown key 'retries'"),
        ({"host": "x"}, "token: a text"),
        ({"databases": [GOOD], "token": "x"}, "unknown key 'token'"),
        ({"databases": [GOOD], "poll_interval": 0}, "poll_interval"),
        ({"databases": [GOOD], "poll_interval": True}, "poll_interval"),
        ({"databases": [GOOD], "concurrency": "8"}, "concurrency"),
        ({"databases": [GOOD], "byte_budget": 5}, "byte_budget"),
        ({"databases": [GOOD], "byte_budget": 128 * MIB, "message_size_limit": 200 * MIB}, "byte_budget"),
    ],
)
def test_mistakes_are_named(document: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(document)


def test_one_database_name_at_two_odoos() -> None:
    other = GOOD | {"name": "b", "url": "https://other.example"}
    assert len(parse({"databases": [GOOD, other]}).databases) == 2


@pytest.mark.parametrize("url", ["http://127.0.0.1:8069", "http://localhost", "http://[::1]:8069"])
def test_plain_http_on_this_machine(url: str) -> None:
    assert parse({"databases": [GOOD | {"url": url}]}).databases[0].url == url


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yml")
    (tmp_path / "bad.yml").write_text("a: [")
    with pytest.raises(ConfigError, match=r"bad\.yml: not YAML"):
        load(tmp_path / "bad.yml")


def test_token_of_the_service_and_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "prod").write_text("other")
    assert read_tokens("prod", tmp_path / "config.yml") == ("other",)
    (tmp_path / "token-prod").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_tokens("prod", tmp_path / "config.yml") == (TOKEN,)


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"canary\n\nthird", b"canary\n2\n3", b"canary\x07", b"canary two", b"canary\xe9"]
)
def test_a_token_that_cannot_be_used_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    (tmp_path / "token-prod").write_bytes(content)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(ConfigError, match="token of prod") as caught:
        read_tokens("prod", Path("/x"))
    assert "canary" not in str(caught.value)


def test_a_pending_token_is_the_second_line(tmp_path: Path) -> None:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "prod").write_text("current\r\npending\n")
    assert read_tokens("prod", tmp_path / "config.yml") == ("current", "pending")


def test_a_missing_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="token of prod: .*No such file"):
        read_tokens("prod", tmp_path / "config.yml")
