"""The table of routes."""

from __future__ import annotations

import pytest

from kolben import Kolben
from kolben.cli import routes_command
from kolben.testing import CliRunner


@pytest.fixture
def app() -> Kolben:
    app = Kolben("app", root_path=".", static_folder=None)
    app.add_url_rule("/get_post/<int:x>/<int:y>", "yyy_get_post", methods=["GET", "POST"])
    app.add_url_rule("/zzz_post", "aaa_post", methods=["POST"])
    app.add_url_rule("/b", "zzz_all")
    return app


def table(app: Kolben, *args: str) -> list[str]:
    result = app.test_cli_runner().invoke(routes_command, list(args))
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def endpoints(app: Kolben, *args: str) -> list[str]:
    return [line.split()[0] for line in table(app, *args)[2:]]


def test_the_table(app: Kolben) -> None:
    assert table(app) == [
        "Endpoint      Methods    Rule",
        "------------  ---------  -------------------------",
        "aaa_post      POST       /zzz_post",
        "yyy_get_post  GET, POST  /get_post/<int:x>/<int:y>",
        "zzz_all       GET        /b",
    ]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("endpoint", ["aaa_post", "yyy_get_post", "zzz_all"]),
        ("methods", ["zzz_all", "yyy_get_post", "aaa_post"]),
        ("rule", ["zzz_all", "yyy_get_post", "aaa_post"]),
        ("match", ["aaa_post", "zzz_all", "yyy_get_post"]),
    ],
)
def test_orders(app: Kolben, sort: str, expected: list[str]) -> None:
    found = endpoints(app, "--sort", sort)
    if sort == "match":
        # What can match the same path has an order; the rest may stand anywhere.
        assert sorted(found) == sorted(expected)
    else:
        assert found == expected
    assert endpoints(app, "-s", sort) == found


def test_all_methods(app: Kolben) -> None:
    assert any("GET, HEAD, OPTIONS" in line for line in table(app, "--all-methods"))


def test_no_routes() -> None:
    app = Kolben("app", root_path=".", static_folder=None)
    assert table(app) == ["No routes were registered."]


def test_subdomains() -> None:
    app = Kolben("app", root_path=".", static_folder=None, subdomain_matching=True)
    app.add_url_rule("/", "a", subdomain="b")
    app.add_url_rule("/", "b", subdomain="a")
    lines = table(app, "--sort", "domain")
    assert lines[0].split() == ["Endpoint", "Methods", "Subdomain", "Rule"]
    assert [line.split() for line in lines[2:]] == [
        ["b", "GET", "a", "/"],
        ["a", "GET", "b", "/"],
    ]


def test_hosts() -> None:
    app = Kolben("app", root_path=".", static_folder=None, host_matching=True)
    app.add_url_rule("/", "a", host="a.example")
    lines = table(app)
    assert "Host" in lines[0] and "a.example" in lines[2]


def test_the_runner_is_the_one_of_the_application(app: Kolben) -> None:
    assert isinstance(app.test_cli_runner(), CliRunner)
