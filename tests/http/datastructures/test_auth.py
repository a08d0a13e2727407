"""Credentials and challenges."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.http.datastructures import Authorization, WWWAuthenticate

unicode_text = st.text(st.characters(exclude_categories=["Cs"]))


@given(unicode_text.filter(lambda name: ":" not in name), unicode_text)
def test_basic_credentials_survive_writing_and_reading(username: str, password: str) -> None:
    auth = Authorization("basic", {"username": username, "password": password})
    read = Authorization.from_header(auth.to_header())
    assert read == auth
    assert read is not None
    assert (read.username, read["password"]) == (username, password)


@given(st.text())
def test_nothing_raises(value: str) -> None:
    for text in (value, f"Basic {value}", f"Digest {value}"):
        Authorization.from_header(text)
        WWWAuthenticate.from_header(text)


@pytest.mark.parametrize(
    "value", [None, "", " ", "Basic", "Basic x", "Basic !!!!", "Basic /w==", "Basic YTpi\n"]
)
def test_credentials_that_cannot_be_read_are_none(value: str | None) -> None:
    auth = Authorization.from_header(value)
    assert auth is None or auth.username == ""


def test_digest_credentials() -> None:
    header = 'Digest username="M a", realm="r", nonce="n=", qop=auth, nc=00000001'
    auth = Authorization.from_header(header)
    assert auth is not None
    assert auth.type == "digest"
    assert auth.token is None
    assert auth.parameters == {
        "username": "M a",
        "realm": "r",
        "nonce": "n=",
        "qop": "auth",
        "nc": "00000001",
    }
    assert (auth.get("realm"), auth.get("x", "y"), auth.missing, auth["missing"]) == (
        "r",
        "y",
        None,
        None,
    )
    assert "qop" in auth
    assert Authorization.from_header(str(auth)) == auth


@pytest.mark.parametrize("token", ["abc.def-ghi", "abc==", "a/b+c="])
def test_a_token_is_kept_whole(token: str) -> None:
    auth = Authorization.from_header(f"Bearer {token}")
    assert auth is not None
    assert (auth.type, auth.token, auth.parameters) == ("bearer", token, {})
    assert auth.to_header() == f"Bearer {token}"


def test_credentials_stay_out_of_logs() -> None:
    auth = Authorization("basic", {"username": "me", "password": "secret"})
    assert repr(auth) == "<Authorization basic>"
    assert auth != "basic"
    assert copy.deepcopy(auth) == pickle.loads(pickle.dumps(auth)) == auth


def test_challenges_survive_writing_and_reading() -> None:
    for header in (
        'Basic realm="log in"',
        'Digest realm="r", nonce="n", qop="auth, auth-int", algorithm=MD5',
        "Bearer abc==",
        "Negotiate",
        'Bearer realm="r", error=x, flag',
    ):
        challenge = WWWAuthenticate.from_header(header)
        assert challenge is not None
        assert challenge.to_header() == str(challenge) == header
        assert repr(challenge) == f"<WWWAuthenticate {header}>"
    assert WWWAuthenticate.from_header("") is WWWAuthenticate.from_header(" ") is None
    unheard = WWWAuthenticate("basic")
    unheard["realm"] = "x"
    assert unheard["realm"] == "x"


def test_every_change_of_a_challenge_is_told() -> None:
    seen: list[str] = []
    challenge: Any = WWWAuthenticate("basic", {"realm": "a"})
    challenge._on_update = lambda each: seen.append(each.to_header())
    challenge.realm = "b"
    challenge["charset"] = "UTF-8"
    challenge.parameters["x"] = "y"
    del challenge.x
    challenge["charset"] = None
    del challenge["missing"]
    challenge.type = "Bearer"
    challenge.parameters = {"scope": "s t"}
    challenge.token = "t"
    assert seen == [
        'Basic realm="b"',
        'Basic realm="b", charset=UTF-8',
        'Basic realm="b", charset=UTF-8, x=y',
        'Basic realm="b", charset=UTF-8',
        'Basic realm="b"',
        'Bearer realm="b"',
        'Bearer scope="s t"',
        "Bearer t",
    ]
    assert (challenge.type, challenge.token, challenge.scope, challenge.missing) == (
        "bearer",
        "t",
        "s t",
        None,
    )
    assert (challenge["scope"], challenge.get("x", "d"), "scope" in challenge) == ("s t", "d", True)


def test_challenges_are_compared_by_content() -> None:
    challenge = WWWAuthenticate("Basic", {"realm": "a"})
    assert challenge == WWWAuthenticate("basic", {"realm": "a"})
    assert challenge != WWWAuthenticate("basic", {"realm": "b"})
    assert challenge != "basic"
    assert copy.deepcopy(challenge) == challenge
