"""The multipart decoder: the same events however the body was cut, and its limits."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kolben.http.multipart import (
    MAX_PART_HEADERS,
    MultipartDecoder,
    MultipartError,
    MultipartLimitError,
    Part,
)

Parsed = list[tuple[str, str | None, str | None, bytes]]


def parse(pieces: Iterable[bytes], boundary: str = "b", max_parts: int | None = None) -> Parsed:
    decoder = MultipartDecoder(boundary, max_parts=max_parts)
    found: Parsed = []
    part: Part | None = None
    chunks: list[bytes] = []
    for piece in pieces:
        for event in decoder.feed(piece):
            if isinstance(event, Part):
                assert part is None
                part, chunks = event, []
            elif event is None:
                assert part is not None
                found.append((part.name, part.filename, part.content_type, b"".join(chunks)))
                part = None
            else:
                assert event
                chunks.append(event)
    decoder.finish()
    return found


def body_of(*parts: tuple[str, bytes], boundary: bytes = b"b") -> bytes:
    pieces = [b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary, head.encode(), data) for head, data in parts]
    return b"".join(pieces) + b"--%s--\r\n" % boundary


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    at = sorted({0, len(body), *(place % (len(body) + 1) for place in places)})
    return [body[start:stop] for start, stop in pairwise(at)]


DISPOSITION = "Content-Disposition: form-data; name="


def test_fields_and_files_come_with_their_names_and_types() -> None:
    body = body_of(
        (f'{DISPOSITION}"a"', b"1"),
        (f'{DISPOSITION}"f"; filename="x.png"\r\nContent-Type: image/png', b"\x89PNG\r\n"),
        (f'{DISPOSITION}"none"; filename=""', b""),
    )
    assert parse([body]) == [
        ("a", None, None, b"1"),
        ("f", "x.png", "image/png", b"\x89PNG\r\n"),
        ("none", "", None, b""),
    ]


names = st.text(st.characters(exclude_characters='"\r\n\\%\x00', exclude_categories=["Cs"]))
contents = st.one_of(
    st.binary(max_size=200),
    # What looks like a boundary, or the beginning of one.
    st.lists(
        st.sampled_from([b"\r\n", b"\r", b"\n", b"--", b"--b", b"\r\n-", b"x", b"b", b"\r\n--"])
    ).map(b"".join),
).filter(lambda data: b"\r\n--bb" not in b"\r\n" + data)


@given(
    st.lists(st.tuples(names, st.none() | names, contents), max_size=4),
    st.lists(st.integers(min_value=0, max_value=2000), max_size=12),
    st.sampled_from([b"", b"\r\n", b"preamble\r\n"]),
    st.sampled_from([b"", b"\r\n", b"epilogue"]),
)
def test_any_cut_gives_the_same_parts(
    parts: list[tuple[str, str | None, bytes]], places: list[int], before: bytes, after: bytes
) -> None:
    body = before + b"".join(
        b'--bb\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
        % (
            name.encode(),
            b"" if filename is None else b'; filename="%s"' % filename.encode(),
            data,
        )
        for name, filename, data in parts
    )
    body += b"--bb--" + after
    whole = parse([body], "bb")
    assert [(name, data) for name, _, _, data in whole] == [(name, data) for name, _, data in parts]
    assert parse(cut(body, places), "bb") == whole


pieces = st.lists(
    st.sampled_from(
        [
            b"--b",
            b"\r\n",
            b"--",
            b"\r\n--b\r\n",
            b"--b--",
            b"\n",
            b"\r",
            b'Content-Disposition: form-data; name="a"',
            b"Content-Length: 1",
            b"\r\n\r\n",
            b"x",
            b": ",
            b" ",
        ]
    ),
    max_size=14,
).map(b"".join)


@given(pieces, st.lists(st.integers(min_value=0, max_value=300), max_size=20))
@example(b'junk--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n--b--', [4])
@example(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--more\r\n--b', [50])
def test_any_cut_of_any_nonsense_has_the_same_outcome(body: bytes, places: list[int]) -> None:
    def outcome(pieces: Iterable[bytes]) -> object:
        try:
            return parse(pieces)
        except MultipartError as error:
            return type(error)

    whole = outcome([body])
    assert outcome(cut(body, places)) == whole
    assert outcome(cut(body, range(len(body)))) == whole


@pytest.mark.parametrize(
    "boundary",
    ["", "a" * 71, "a\r\nb", "a b ", "ä", "a;b", 'a"b', "a\x00b"],
    ids=["empty", "71", "line break", "space at the end", "non-ASCII", "semicolon", "quote", "NUL"],
)
def test_a_malformed_boundary_is_refused(boundary: str) -> None:
    with pytest.raises(MultipartError, match="boundary"):
        MultipartDecoder(boundary)


@pytest.mark.parametrize(
    "boundary", ["a", "a" * 70, "----WebKitFormBoundary7MA4YWxk", "a b'()+_,-./:=?"]
)
def test_a_legal_boundary_is_taken(boundary: str) -> None:
    body = body_of((f'{DISPOSITION}"a"', b"1"), boundary=boundary.encode())
    assert parse([body], boundary) == [("a", None, None, b"1")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary at all",
        b"--b\r\n",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b\r\n',
        b"--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--",
        b"--b\r\nno colon\r\n\r\n1\r\n--b--",
        b'--b\r\nContent-Disposition: attachment; name="a"\r\n\r\n1\r\n--b--',
        b'--b\r\nContent-Disposition: form-data; name="\xff"\r\n\r\n1\r\n--b--',
        b'--b\nContent-Disposition: form-data; name="a"\n\n1\n--b--',
    ],
    ids=[
        "empty",
        "no boundary",
        "cut in the headers",
        "cut in the content",
        "cut after a boundary",
        "no disposition",
        "malformed header",
        "other disposition",
        "undecodable header",
        "bare line feeds",
    ],
)
def test_a_malformed_body_is_refused(body: bytes) -> None:
    with pytest.raises(MultipartError):
        parse([body])


def test_more_parts_than_allowed_are_refused() -> None:
    body = body_of(*[(f'{DISPOSITION}"a"', b"1")] * 3)
    assert len(parse([body], max_parts=3)) == 3
    with pytest.raises(MultipartLimitError):
        parse([body], max_parts=2)


def test_headers_of_a_part_may_have_8_kib_in_all() -> None:
    def with_header(*lengths: int) -> bytes:
        lines = "".join(f"\r\nX-{n}: {'x' * length}" for n, length in enumerate(lengths))
        return body_of((f'{DISPOSITION}"a"{lines}', b"1"))

    assert parse([with_header(4000)]) == [("a", None, None, b"1")]
    for lengths in ((MAX_PART_HEADERS + 1,), (5000, 5000), (1,) * 20):
        with pytest.raises(MultipartLimitError):
            parse([with_header(*lengths)])
    with pytest.raises(MultipartLimitError):
        parse([b"--b\r\nX: ", b"x" * 5000, b"x" * 5000])


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        ('filename="a b.txt"', "a b.txt"),
        ("filename=a.txt", "a.txt"),
        ('filename="%22q%22%0D%0A.txt"', '"q"\r\n.txt'),
        ('filename="naïve.txt"', "naïve.txt"),
        ('filename="C:\\\\dir\\\\a.txt"', "a.txt"),
        ("filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
        ("filename*=utf-8''%E2%82%AC%20rates", "€ rates"),
    ],
)
def test_file_names_in_every_notation(disposition: str, filename: str) -> None:
    body = body_of((f'{DISPOSITION}"f"; {disposition}', b"1"))
    assert parse([body]) == [("f", filename, None, b"1")]


def test_a_part_without_a_name_has_an_empty_one() -> None:
    assert parse([body_of(("Content-Disposition: form-data", b"1"))]) == [("", None, None, b"1")]
    assert repr(Part("a")) == "<Part 'a' filename=None>"


def test_what_follows_the_last_boundary_is_ignored() -> None:
    body = body_of((f'{DISPOSITION}"a"', b"1"))
    assert parse([body, b"more", b"--b\r\n"]) == [("a", None, None, b"1")]
