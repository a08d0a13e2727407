"""Conditional and range requests: what of a response really has to be sent."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable
from itertools import pairwise

from ..exceptions import RequestedRangeNotSatisfiable
from ..http.datastructures import ContentRange, Range
from ..http.etags import evaluate_conditions, is_resource_modified
from .body import FileBody, Segment, slice_async_iterable, slice_iterable
from .request_fields import RequestFields
from .response_body import ResponseBody

Span = tuple[int, int]

#: More ranges than these in one request, or overlapping ones, are answered with everything.
MAX_RANGES = 10


def apply_conditions(
    response: ResponseBody,
    request: RequestFields,
    accept_ranges: bool | str = False,
    complete_length: int | None = None,
) -> None:
    """Turn a successful response into a 304, 412 or 206 where the request asks for it.

    :param accept_ranges: The unit that ``Accept-Ranges`` names; ``True`` for bytes.
    :param complete_length: The length of a streamed body.
    :raises RequestedRangeNotSatisfiable: if no range that is asked for exists.
    :source: RFC 9110, section 13.2.2 for the order; section 14 for ranges.
    """
    if accept_ranges:
        response.accept_ranges = "bytes" if accept_ranges is True else accept_ranges
    # Conditions only apply where the answer without them is a success.
    if request.method not in ("GET", "HEAD") or not 200 <= response.status_code < 300:
        return
    headers = request.headers
    etag = response.headers.get("etag")
    last_modified = response.headers.get("last-modified")
    status = evaluate_conditions(
        request.method,
        etag=etag,
        last_modified=last_modified,
        if_match=headers.combined("if-match"),
        if_unmodified_since=headers.get("if-unmodified-since"),
        if_none_match=headers.combined("if-none-match"),
        if_modified_since=headers.get("if-modified-since"),
    )
    if status == 412:
        response.replace_body(b"")
    if status != 200:
        response.status_code = status
        return
    # Ranges are defined for GET alone; a response with another status than 200 has no parts.
    if not accept_ranges or request.method != "GET" or response.status_code != 200:
        return
    wanted = headers.get("range")
    if wanted is None or response.accept_ranges != "bytes":
        return
    if_range = headers.get("if-range")
    if if_range is not None and is_resource_modified(
        http_range=wanted,
        http_if_range=if_range,
        etag=etag,
        last_modified=last_modified,
        ignore_if_range=False,
    ):
        return
    _apply_range(response, request, complete_length)


def _apply_range(
    response: ResponseBody, request: RequestFields, complete_length: int | None
) -> None:
    length = response.body_length()
    if length is None:
        length = complete_length
    asked = request.range
    if not length or asked is None or asked.units != "bytes" or len(asked.ranges) > MAX_RANGES:
        return
    spans = _satisfiable(asked, length)
    if not spans:
        raise RequestedRangeNotSatisfiable(length)
    if _overlap(spans):
        return
    if len(spans) == 1:
        _send_one(response, spans[0], length)
    else:
        _send_several(response, spans, length)


def _satisfiable(asked: Range, length: int) -> list[Span]:
    spans: list[Span] = []
    for start, stop in asked.ranges:
        if start < 0:
            spans.append((max(length + start, 0), length))
        elif start < length:
            spans.append((start, length if stop is None else min(stop, length)))
    return spans


def _overlap(spans: list[Span]) -> bool:
    ordered = sorted(spans)
    return any(start < stop for (_, stop), (start, _) in pairwise(ordered))


def _send_one(response: ResponseBody, span: Span, length: int) -> None:
    start, stop = span
    body = response.raw_body()
    if isinstance(body, FileBody):
        body.segments = [(start, stop - start)]
    elif isinstance(body, bytes):
        response.replace_body(body[start:stop])
    elif isinstance(body, AsyncIterable):
        response.wrap_body(slice_async_iterable(body, start, stop - start))
    else:
        response.wrap_body(slice_iterable(body, start, stop - start))
    response.status_code = 206
    response.headers["Content-Length"] = str(stop - start)
    response.headers["Content-Range"] = ContentRange("bytes", start, stop, length).to_header()


def _send_several(response: ResponseBody, spans: list[Span], length: int) -> None:
    body = response.raw_body()
    if not isinstance(body, (FileBody, bytes)):
        # An iterable cannot go back; the whole is a right answer too.
        return
    boundary = os.urandom(16).hex()
    content_type = response.headers.get("content-type")
    segments: list[Segment] = []
    for index, (start, stop) in enumerate(spans):
        head = "" if index == 0 else "\r\n"
        head += f"--{boundary}\r\n"
        if content_type:
            head += f"Content-Type: {content_type}\r\n"
        head += f"Content-Range: {ContentRange('bytes', start, stop, length).to_header()}\r\n\r\n"
        segments += [head.encode("latin-1"), (start, stop - start)]
    segments.append(f"\r\n--{boundary}--\r\n".encode())
    response.status_code = 206
    if isinstance(body, FileBody):
        body.segments = segments
        response.headers["Content-Length"] = str(body.length)
    else:
        response.replace_body(
            b"".join(
                part if isinstance(part, bytes) else body[part[0] : part[0] + part[1]]
                for part in segments
            )
        )
    response.headers["Content-Type"] = f"multipart/byteranges; boundary={boundary}"
