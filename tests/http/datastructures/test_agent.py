"""What a client calls itself."""

from __future__ import annotations

from kolben.http.datastructures import UserAgent


def test_the_string_is_kept_and_a_subclass_may_know_more() -> None:
    class Parsed(UserAgent):
        browser = "firefox"
        version = "1"

    plain = UserAgent("curl/8")
    assert (str(plain), plain.to_header(), plain.string) == ("curl/8", "curl/8", "curl/8")
    assert not plain
    assert (plain.platform, plain.browser, plain.version, plain.language) == (
        None,
        None,
        None,
        None,
    )
    assert Parsed("x")
    assert repr(Parsed("x")) == "<Parsed firefox/1>"
