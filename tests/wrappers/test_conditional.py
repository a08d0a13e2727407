"""Conditional and range requests."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kolben.exceptions import RequestedRangeNotSatisfiable
from kolben.http.dates import http_date
from kolben.wrappers import FileBody, Request, Response

pytestmark = pytest.mark.anyio

DATA = bytes(range(256)) * 4
CHANGED = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
BEFORE = http_date(CHANGED - timedelta(seconds=1))
SAME = http_date(CHANGED)
AFTER = http_date(CHANGED + timedelta(seconds=1))


def ask(method: str = "GET", **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"method": method, "path": "/", "headers": raw})


def answer(status: int = 200, etag: str | None = "v1", weak: bool = False) -> Response:
    response = Response(DATA, status, content_type="application/octet-stream")
    if etag:
        response.set_etag(etag, weak)
    response.last_modified = CHANGED
    return response


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if_none_match": '"v1"'}, 304),
        ({"if_none_match": 'W/"v1"'}, 304),
        ({"if_none_match": '"v0", "v1"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"v0"'}, 200),
        ({"if_modified_since": SAME}, 304),
        ({"if_modified_since": AFTER}, 304),
        ({"if_modified_since": BEFORE}, 200),
        ({"if_modified_since": "nonsense"}, 200),
        # If-None-Match is asked first, and then If-Modified-Since not at all.
        ({"if_none_match": '"v0"', "if_modified_since": SAME}, 200),
        ({"if_none_match": '"v1"', "if_modified_since": BEFORE}, 304),
        ({"if_match": '"v1"'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": '"v0"'}, 412),
        ({"if_match": 'W/"v1"'}, 412),
        ({"if_unmodified_since": SAME}, 200),
        ({"if_unmodified_since": BEFORE}, 412),
        ({"if_unmodified_since": "nonsense"}, 200),
        # If-Match is asked first, and then If-Unmodified-Since not at all.
        ({"if_match": '"v1"', "if_unmodified_since": BEFORE}, 200),
        ({"if_match": '"v0"', "if_unmodified_since": AFTER}, 412),
        ({"if_match": '"v0"', "if_none_match": '"v1"'}, 412),
        ({"if_match": '"v1"', "if_none_match": '"v1"'}, 304),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions(headers: dict[str, str], status: int, method: str) -> None:
    response = answer()
    assert response.make_conditional(ask(method, **headers)) is response
    assert response.status_code == status
    sent = dict(response.asgi_headers())
    assert sent[b"etag"] == b'"v1"'
    if status == 304:
        assert response.complete_body() == b""
        assert b"content-length" not in sent
    elif status == 412:
        assert response.complete_body() == b""
        assert sent[b"content-length"] == b"0"
    else:
        assert response.complete_body() == DATA
        assert sent[b"content-length"] == b"%d" % len(DATA)


def test_conditions_change_only_successful_answers_to_get_and_head() -> None:
    for status in (404, 500, 302):
        assert answer(status).make_conditional(ask(if_none_match='"v1"')).status_code == status
    assert answer().make_conditional(ask("POST", if_none_match='"v1"')).status_code == 200
    assert answer(203).make_conditional(ask(if_none_match='"v1"')).status_code == 304


def test_an_answer_without_validators_is_sent_whole() -> None:
    request = ask(if_none_match='"v1"', if_modified_since=AFTER)
    assert Response("a").make_conditional(request).status_code == 200


def test_add_etag_and_make_conditional_work_together() -> None:
    first = Response("content")
    first.add_etag()
    second = Response("content")
    second.add_etag()
    second.make_conditional(ask(if_none_match=first.headers["ETag"]))
    assert second.status_code == 304


# Ranges


def bodies() -> dict[str, Callable[[], Any]]:
    return {
        "bytes": lambda: DATA,
        "list": lambda: [DATA[:100], DATA[100:]],
        "file": lambda: FileBody(io.BytesIO(DATA)),
        "iterator": lambda: iter([DATA[:100], DATA[100:]]),
    }


def content(response: Response) -> bytes:
    body = response.complete_body()
    return b"".join(response.iter_encoded()) if body is None else body


@pytest.mark.parametrize("kind", bodies())
@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, 1024),
        ("bytes=-10", 1014, 1024),
        ("bytes=1000-2000", 1000, 1024),
        ("bytes=-5000", 0, 1024),
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1024),
        ("BYTES=90-109", 90, 110),
    ],
)
def test_one_range(kind: str, wanted: str, start: int, stop: int) -> None:
    response = Response(bodies()[kind](), content_type="a/b")
    response.make_conditional(ask(range=wanted), accept_ranges=True, complete_length=1024)
    assert response.status_code == 206
    sent = dict(response.asgi_headers())
    assert sent[b"content-range"] == b"bytes %d-%d/1024" % (start, stop - 1)
    assert sent[b"content-length"] == b"%d" % (stop - start)
    assert sent[b"accept-ranges"] == b"bytes"
    assert sent[b"content-type"] == b"a/b"
    assert content(response) == DATA[start:stop]


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=x",
        "bytes=5-2",
        "bytes=",
        "bytes",
        "lines=0-9",
        "bytes=0-9,5-14",
        "bytes=" + ",".join(f"{n * 10}-{n * 10}" for n in range(11)),
        "bytes=0-,0-,0-",
        "bytes=0-5,-1024",
    ],
    ids=[
        "nonsense",
        "backwards",
        "empty",
        "no ranges",
        "other unit",
        "overlapping",
        "eleven",
        "all",
        "overlapping from the end",
    ],
)
def test_a_range_that_is_broken_or_an_attack_gets_the_whole(wanted: str) -> None:
    response = Response(DATA)
    response.make_conditional(ask(range=wanted), accept_ranges=True)
    assert response.status_code == 200
    assert content(response) == DATA
    assert "Content-Range" not in response.headers


@pytest.mark.parametrize("wanted", ["bytes=1024-", "bytes=2000-3000", "bytes=2000-2001,3000-"])
def test_a_range_beyond_the_end_is_a_416(wanted: str) -> None:
    with pytest.raises(RequestedRangeNotSatisfiable) as caught:
        Response(DATA).make_conditional(ask(range=wanted), accept_ranges=True)
    response = caught.value.get_response()
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */1024"


def test_ranges_are_for_get_with_status_200_where_they_are_accepted() -> None:
    request = ask(range="bytes=0-9")
    assert Response(DATA).make_conditional(request).status_code == 200
    assert Response(DATA, 203).make_conditional(request, True).status_code == 203
    assert Response(DATA).make_conditional(request, "none").status_code == 200
    response = Response(DATA).make_conditional(ask("HEAD", range="bytes=0-9"), True)
    assert response.status_code == 200
    assert response.accept_ranges == "bytes"
    assert Response(DATA).make_conditional(ask("POST", range="bytes=0-9"), True).status_code == 200


def test_an_empty_body_has_no_ranges() -> None:
    assert Response(b"").make_conditional(ask(range="bytes=0-9"), True).status_code == 200


def test_a_stream_of_unknown_length_has_no_ranges() -> None:
    response = Response(iter([DATA])).make_conditional(ask(range="bytes=0-9"), True)
    assert response.status_code == 200
    assert content(response) == DATA


@pytest.mark.parametrize(
    ("if_range", "weak", "status"),
    [
        ('"v1"', False, 206),
        ('"v0"', False, 200),
        ('W/"v1"', False, 200),
        ('"v1"', True, 200),
        ('W/"v1"', True, 200),
        (SAME, False, 206),
        (BEFORE, False, 200),
        ("nonsense", False, 200),
    ],
)
def test_if_range(if_range: str, weak: bool, status: int) -> None:
    response = answer(weak=weak)
    response.make_conditional(ask(range="bytes=0-9", if_range=if_range), accept_ranges=True)
    assert response.status_code == status
    assert content(response) == (DATA[:10] if status == 206 else DATA)


def test_a_condition_comes_before_the_range() -> None:
    response = answer()
    response.make_conditional(ask(range="bytes=0-9", if_none_match='"v1"'), accept_ranges=True)
    assert response.status_code == 304
    response = answer()
    response.make_conditional(ask(range="bytes=0-9", if_match='"v0"'), accept_ranges=True)
    assert response.status_code == 412


def split(response: Response) -> list[tuple[int, int, str | None, bytes]]:
    """The parts of a multipart/byteranges answer, taken apart as RFC 9110 writes them."""
    boundary = response.mimetype_params["boundary"].encode()
    assert response.mimetype == "multipart/byteranges"
    body = content(response)
    assert dict(response.asgi_headers())[b"content-length"] == b"%d" % len(body)
    assert body.startswith(b"--" + boundary + b"\r\n")
    assert body.endswith(b"\r\n--" + boundary + b"--\r\n")
    found = []
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().strip().split("\r\n"))
        match = re.fullmatch(r"bytes (\d+)-(\d+)/1024", fields["Content-Range"])
        assert match is not None
        found.append((int(match[1]), int(match[2]) + 1, fields.get("Content-Type"), data))
    return found


@pytest.mark.parametrize("kind", ["bytes", "list", "file"])
def test_several_ranges(kind: str) -> None:
    response = Response(bodies()[kind](), content_type="a/b")
    response.make_conditional(ask(range="bytes=0-9, 20-29, 1000-"), accept_ranges=True)
    assert response.status_code == 206
    assert "Content-Range" not in response.headers
    assert split(response) == [
        (0, 10, "a/b", DATA[:10]),
        (20, 30, "a/b", DATA[20:30]),
        (1000, 1024, "a/b", DATA[1000:]),
    ]


def test_of_several_ranges_those_beyond_the_end_are_left_out() -> None:
    response = Response(DATA).make_conditional(ask(range="bytes=0-9,2000-2001"), True)
    assert response.headers["Content-Range"] == "bytes 0-9/1024"
    assert content(response) == DATA[:10]


def test_several_ranges_of_an_iterator_are_not_split() -> None:
    response = Response(iter([DATA]), content_type="a/b")
    response.make_conditional(ask(range="bytes=0-9,20-29"), True, complete_length=1024)
    assert response.status_code == 200
    assert content(response) == DATA


def test_ten_ranges_are_answered() -> None:
    wanted = "bytes=" + ",".join(f"{n * 10}-{n * 10}" for n in range(10))
    response = Response(FileBody(io.BytesIO(DATA))).make_conditional(ask(range=wanted), True)
    assert [start for start, *_ in split(response)] == [n * 10 for n in range(10)]


@given(st.sets(st.integers(0, 1024), min_size=2, max_size=10), st.sampled_from(["file", "bytes"]))
def test_ranges_put_together_are_the_file(cuts: set[int], kind: str) -> None:
    at = sorted(cuts | {0, 1024})
    spans = list(pairwise(at))
    wanted = "bytes=" + ",".join(f"{start}-{stop - 1}" for start, stop in spans)
    response = Response(bodies()[kind](), content_type="a/b")
    response.make_conditional(ask(range=wanted), accept_ranges=True)
    if len(spans) > 10:
        assert response.status_code == 200
    elif len(spans) > 1:
        parts = split(response)
        assert [(start, stop) for start, stop, *_ in parts] == spans
        assert b"".join(data for *_, data in parts) == DATA
        return
    assert content(response) == DATA


async def test_a_range_of_an_async_iterable() -> None:
    async def generate() -> AsyncIterator[bytes]:
        yield DATA[:100]
        yield DATA[100:]

    response = Response(generate())
    response.make_conditional(ask(range="bytes=90-109"), True, complete_length=1024)
    assert response.status_code == 206
    assert response.complete_body() is None
    assert b"".join([chunk async for chunk in response.response]) == DATA[90:110]


def test_a_wrapped_iterator_is_closed_with_the_response() -> None:
    closed = []

    def generate() -> Iterator[bytes]:
        try:
            yield DATA
        finally:
            closed.append(True)

    response = Response(generate())
    response.make_conditional(ask(range="bytes=0-9"), True, complete_length=1024)
    assert next(iter(response.response)) == DATA[:10]
    response.close()
    assert closed == [True]


def test_a_file_is_closed_when_nothing_of_it_is_sent(tmp_path: Path) -> None:
    for headers in ({"if_match": '"v0"'}, {"if_none_match": '"v1"'}):
        file = io.BytesIO(DATA)
        response = Response(FileBody(file), direct_passthrough=True)
        response.set_etag("v1")
        response.make_conditional(ask(**headers), accept_ranges=True)
        assert response.complete_body() == b""
        response.close()
        assert file.closed
