# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file and the tokens: what is taken, and how a mistake is named."""

from pathlib import Path

import pytest
from odoo_lmtp_bridge.config import MIB, Config, ConfigError, Database, load, parse, read_tokens
from unit.bridge.harness import TOKEN

GOOD = {"name": "prod", "url": "https://odoo.acme.example/", "database": "prod"}


def test_the_least() -> None:
    assert parse({"databases": [GOOD]}) == Config((Database("prod", "https://odoo.acme.example", "prod"),))


def test_everything() -> None:
    config = parse(
        {
            "databases": [GOOD | {"ca_file": "/etc/ca.pem"}],
            "poll_interval": 5,
            "concurrency": 2,
            "message_size_limit": 1000,
            "byte_budget": 2000,
            "state_directory": "/var/lib/x",
            "socket": "/run/x",
        }
    )
    assert config.databases[0].ca_file == Path("/etc/ca.pem")
    assert config.maps_directory == Path("/var/lib/x/maps")


@pytest.mark.parametrize("size", [1, 50 * MIB, 64 * MIB, 65 * MIB, 500 * MIB])
def test_two_of_the_largest_messages_fit_into_memory(size: int) -> None:
    config = parse({"databases": [GOOD], "message_size_limit": size})
    assert config.byte_budget == max(128 * MIB, 2 * size)


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


@pytest.mark.parametrize("content", [b"", b" \n", b"canary\n\nthird", b"canary\n2\n3", b"canary\x07", b"canary\xe9"])
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
