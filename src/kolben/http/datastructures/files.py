"""An uploaded file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any

from ..syntax import parse_options_header, plain_int
from .headers import Headers
from .multidict import MultiDict


class FileStorage:
    """An uploaded file: an open stream and what the client said about it.

    Attributes of the stream work on the storage itself, so that ``storage.read()`` is enough.

    >>> from io import BytesIO
    >>> FileStorage(BytesIO(b"content"), filename="a.txt").read()
    b'content'

    :param stream: Binary stream; an empty one if it is left out.
    :param filename: Name on the client's side, not safe to be used as a path; taken from the
        stream's ``name`` if it is left out.
    :param name: Name of the form's field.
    :param content_type: Value of the part's ``Content-Type``.
    :param content_length: Value of the part's ``Content-Length``.
    :param headers: The part's header fields.
    :source: Werkzeug: the same.
    """

    def __init__(
        self,
        stream: IO[bytes] | None = None,
        filename: str | os.PathLike[str] | bytes | None = None,
        name: str | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        self.name = name
        self.stream: IO[bytes] = BytesIO() if stream is None else stream
        if filename is None:
            filename = getattr(stream, "name", None)
            # Temporary files are named by their number, standard streams like "<stdin>".
            if not isinstance(filename, (str, bytes, os.PathLike)) or (
                (text := os.fsdecode(filename)).startswith("<") and text.endswith(">")
            ):
                filename = None
        self.filename: str | None = None if filename is None else os.fsdecode(filename)
        self.headers = Headers() if headers is None else headers
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        if content_length is not None:
            self.headers["Content-Length"] = str(content_length)

    @property
    def content_type(self) -> str | None:
        """The media type with its parameters, as the client sent it."""
        return self.headers.get("content-type")

    @property
    def content_length(self) -> int:
        """The length that the client announced; 0 if it did not, or not validly."""
        try:
            return plain_int(self.headers.get("content-length", ""))
        except ValueError:
            return 0

    @property
    def mimetype(self) -> str:
        """The media type in lower case, without parameters."""
        return parse_options_header(self.content_type)[0].lower()

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the media type."""
        return parse_options_header(self.content_type)[1]

    def save(self, dst: str | os.PathLike[str] | IO[bytes], buffer_size: int = 16384) -> None:
        """Copy the rest of the stream to a file.

        It blocks as long as the disk does: in an ``async def`` view call it in a thread.

        :param dst: Path, or an open binary file, which stays open.
        :param buffer_size: Bytes held in memory at a time.
        """
        from shutil import copyfileobj  # loads the compression modules

        if isinstance(dst, (str, os.PathLike)):
            with open(dst, "wb") as file:
                copyfileobj(self.stream, file, buffer_size)
        else:
            copyfileobj(self.stream, dst, buffer_size)

    def close(self) -> None:
        """Close the stream; whatever it raises is ignored."""
        try:
            self.stream.close()
        except Exception:
            pass

    def __bool__(self) -> bool:
        return bool(self.filename)

    def __getattr__(self, name: str) -> Any:
        if name == "stream":  # asked for while copying, before there is one
            raise AttributeError(name)
        return getattr(self.stream, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.filename!r} ({self.content_type!r})>"


class FileMultiDict(MultiDict[str, FileStorage]):
    """A :class:`MultiDict` of files, for building requests in tests."""

    def add_file(
        self,
        name: str,
        file: str | os.PathLike[str] | IO[bytes] | FileStorage,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        """Add a file to a field.

        :param name: The field.
        :param file: Path, open binary file, or a storage, which is added as it is.
        :param filename: Name to give it; a path's own if it is left out.
        :param content_type: Its type; guessed from the name if it is left out.
        """
        source: Any = file
        if isinstance(source, FileStorage):
            self.add(name, source)
            return
        if isinstance(source, (str, os.PathLike)):
            filename = os.fspath(source) if filename is None else filename
            source = open(source, "rb")  # noqa: SIM115 - the request that is built reads it later
        if filename and content_type is None:
            from mimetypes import guess_type  # reads the system's tables

            content_type = guess_type(filename)[0] or "application/octet-stream"
        self.add(name, FileStorage(source, filename, name, content_type))
