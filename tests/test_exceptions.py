"""HTTP errors: data that anyone can raise, and that becomes a response at the edge."""

from __future__ import annotations

import copy
import inspect
import pickle
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import pytest

from kolben import exceptions
from kolben.exceptions import (
    Aborter,
    BadRequest,
    BadRequestKeyError,
    ClientDisconnected,
    Forbidden,
    HTTPException,
    ImATeapot,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    RequestedRangeNotSatisfiable,
    RequestRedirect,
    SecurityError,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    abort,
    default_exceptions,
)
from kolben.http.datastructures import MultiDict, WWWAuthenticate

CODES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    408: "RequestTimeout",
    409: "Conflict",
    410: "Gone",
    411: "LengthRequired",
    412: "PreconditionFailed",
    413: "RequestEntityTooLarge",
    414: "RequestURITooLarge",
    415: "UnsupportedMediaType",
    416: "RequestedRangeNotSatisfiable",
    417: "ExpectationFailed",
    418: "ImATeapot",
    421: "MisdirectedRequest",
    422: "UnprocessableEntity",
    423: "Locked",
    424: "FailedDependency",
    426: "UpgradeRequired",
    428: "PreconditionRequired",
    429: "TooManyRequests",
    431: "RequestHeaderFieldsTooLarge",
    451: "UnavailableForLegalReasons",
    500: "InternalServerError",
    501: "NotImplemented",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
    505: "HTTPVersionNotSupported",
}


class Response:
    """Stands for the response class, which lives on a floor above."""

    def __init__(self, body: str, status: int | None, headers: list[tuple[str, str]]) -> None:
        self.body, self.status_code, self.headers = body, status, dict(headers)


@pytest.fixture(autouse=True)
def response_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HTTPException, "response_class", Response)


def test_every_code_has_the_name_that_users_know() -> None:
    assert {code: error.__name__ for code, error in default_exceptions.items()} == CODES


def test_the_tree_in_the_documentation_is_complete() -> None:
    assert exceptions.__doc__ is not None
    for each in vars(exceptions).values():
        if inspect.isclass(each) and issubclass(each, HTTPException) and each.__name__[0] != "_":
            assert each.__name__ in exceptions.__doc__


@pytest.mark.parametrize("code", CODES)
def test_abort_raises_the_error_of_a_code(code: int) -> None:
    with pytest.raises(default_exceptions[code]) as caught:
        abort(code, description="Because.")
    error = caught.value
    assert type(error) is default_exceptions[code]
    assert (error.code, error.description) == (code, "Because.")
    assert str(error) == f"{code} {error.name}: Because."
    assert repr(error) == f"<{CODES[code]} '{code}: {error.name}'>"


@pytest.mark.parametrize("code", CODES)
def test_every_error_has_a_text_of_its_own_and_can_be_copied(code: int) -> None:
    error = default_exceptions[code]()
    assert error.description
    for copied in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(copied) is type(error)
        assert str(copied) == str(error)


def test_abort_takes_a_status_of_the_standard_library() -> None:
    with pytest.raises(NotFound):
        abort(HTTPStatus.NOT_FOUND)


def test_abort_takes_a_response() -> None:
    response = Response("body", 200, [])
    with pytest.raises(HTTPException) as caught:
        abort(response)
    assert caught.value.code is None
    assert caught.value.get_response() is response
    assert str(caught.value) == "??? Unknown Error: None"
    assert repr(caught.value) == "<HTTPException '???: Unknown Error'>"


@pytest.mark.parametrize("code", [200, 302, 402, 999, "404", None, object()])
def test_abort_knows_no_other_codes(code: Any) -> None:
    with pytest.raises(LookupError, match="There is no error for"):
        abort(code)


def test_an_aborter_has_codes_of_its_own() -> None:
    class PaymentRequired(HTTPException):
        code = 402

    aborter = Aborter(extra={402: PaymentRequired, 404: Forbidden})
    with pytest.raises(PaymentRequired, match="402 Payment Required: None"):
        aborter(402)
    with pytest.raises(Forbidden):
        aborter(404)
    assert 402 not in default_exceptions
    assert set(Aborter({418: ImATeapot}).mapping) == {418}


def test_the_error_page_is_html_and_shows_nothing_unescaped() -> None:
    error = NotFound("No <b>such</b> page.\nSorry & bye.")
    assert error.get_body() == (
        "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
        "<p>No &lt;b&gt;such&lt;/b&gt; page.<br>Sorry &amp; bye.</p>\n"
    )
    assert error.get_headers() == [("Content-Type", "text/html; charset=utf-8")]
    assert HTTPException().get_description() == "<p></p>"
    assert "I&#39;m a teapot" in ImATeapot().get_body()


def test_a_response_is_made_from_body_code_and_headers() -> None:
    response = NotFound().get_response()
    assert isinstance(response, Response)
    assert response.status_code == 404
    assert response.body.startswith("<!doctype html>")
    # Werkzeug's callers pass an environ or a scope.
    assert NotFound().get_response({}, {}).status_code == 404
    assert NotFound().get_body({}, {}) == NotFound().get_body()


def test_a_ready_response_is_used_as_it_is() -> None:
    ready = Response("mine", 404, [])
    assert NotFound(response=ready).get_response() is ready


def test_without_a_response_class_the_error_says_what_to_import(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HTTPException, "response_class", None)
    with pytest.raises(RuntimeError, match=r"Import kolben\.wrappers"):
        NotFound().get_response()


def test_a_missing_key_names_itself_only_if_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    data: MultiDict[str, str] = MultiDict()
    with pytest.raises(BadRequest) as caught:
        data["secret"]
    error = caught.value
    assert isinstance(error, BadRequestKeyError)
    assert isinstance(error, KeyError)
    assert error.args == ("secret",)
    assert error.description == BadRequest.description
    assert "secret" not in error.get_body()
    assert str(error).startswith("400 Bad Request: ")
    monkeypatch.setattr(BadRequestKeyError, "show_exception", True)
    assert "<br>KeyError: &#39;secret&#39;" in error.get_body()
    error.description = "Other."
    assert error.description == "Other.\nKeyError: 'secret'"
    assert BadRequestKeyError().args == ()
    assert BadRequestKeyError("k", "Text.").get_description().startswith("<p>Text.")


def test_kinds_of_bad_request() -> None:
    for cls in (SecurityError, ClientDisconnected, exceptions.BadHost, BadRequestKeyError):
        assert issubclass(cls, BadRequest)
        assert cls.code == 400
    assert default_exceptions[400] is BadRequest


def test_an_error_can_be_wrapped_around_another() -> None:
    both = NotFound.wrap(KeyError)
    with pytest.raises(KeyError) as caught:
        raise both("key", "Text.")
    assert isinstance(caught.value, NotFound)
    assert caught.value.args == ("key",)
    assert both.__name__ == "KeyError"
    assert str(caught.value) == "404 Not Found: Text."
    assert NotFound.wrap(ValueError, "Mine").__name__ == "Mine"
    assert NotFound.wrap(ValueError)().args == ()


def headers_of(error: HTTPException) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in error.get_headers():
        found.setdefault(name, []).append(value)
    del found["Content-Type"]
    return found


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (Unauthorized(), {}),
        (
            Unauthorized(www_authenticate=WWWAuthenticate("basic", {"realm": "x"})),
            {"WWW-Authenticate": ['Basic realm="x"']},
        ),
        (
            Unauthorized(
                www_authenticate=iter([WWWAuthenticate("basic"), WWWAuthenticate("digest")])
            ),
            {"WWW-Authenticate": ["Basic", "Digest"]},
        ),
        (MethodNotAllowed(), {}),
        (MethodNotAllowed(["GET", "HEAD"]), {"Allow": ["GET, HEAD"]}),
        (MethodNotAllowed(iter(["GET"])), {"Allow": ["GET"]}),
        (RequestedRangeNotSatisfiable(), {}),
        (RequestedRangeNotSatisfiable(10), {"Content-Range": ["bytes */10"]}),
        (RequestedRangeNotSatisfiable(0, "lines"), {"Content-Range": ["lines */0"]}),
        (TooManyRequests(), {}),
        (TooManyRequests(retry_after=20), {"Retry-After": ["20"]}),
        (
            ServiceUnavailable(retry_after=datetime(2020, 1, 4, 18, 52, 16, tzinfo=UTC)),
            {"Retry-After": ["Sat, 04 Jan 2020 18:52:16 GMT"]},
        ),
    ],
    ids=str,
)
def test_headers_of_an_error(error: HTTPException, headers: dict[str, list[str]]) -> None:
    assert headers_of(error) == headers
    assert headers_of(error) == headers


def test_a_500_keeps_what_happened_to_itself() -> None:
    cause = ValueError("secret")
    error = InternalServerError(original_exception=cause)
    assert error.original_exception is cause
    assert "secret" not in error.get_body() + str(error)


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("/a/?b=c d", "/a/?b=c%20d"),
        ("http://☃.net/ä/", "http://xn--n3h.net/%C3%A4/"),
        ("/\r\nSet-Cookie: a=b", "/%0D%0ASet-Cookie:%20a=b"),
        ("http://[broken/\n", "http://%5Bbroken/%0A"),
    ],
)
def test_a_redirect_names_a_location_that_can_be_sent(url: str, location: str) -> None:
    error = RequestRedirect(url)
    assert (error.code, error.new_url) == (308, url)
    assert headers_of(error) == {"Location": [location]}
    response = error.get_response()
    assert response.status_code == 308
    assert pickle.loads(pickle.dumps(error)).new_url == url


def test_a_redirects_page_cannot_be_scripted() -> None:
    body = RequestRedirect('/"><script>').get_body()
    assert "<script>" not in body
    assert 308 not in default_exceptions
