"""Files: paths that cannot leave their folder, and responses that send a file.

Nothing here reads a file's content. A response is given a
:class:`~kolben.wrappers.FileBody`, which the gateway reads in a worker thread, or hands to the
server by its path.
"""

from __future__ import annotations

import io
import os
import posixpath
import re
import stat
import time
import unicodedata
import zlib
from collections.abc import Callable
from datetime import datetime
from typing import IO, Any, cast
from urllib.parse import quote

from .context import require_request
from .exceptions import NotFound, RequestedRangeNotSatisfiable
from .http.dates import http_date
from .http.etags import quote_etag
from .http.headers import dump_options_header
from .wrappers import Response
from .wrappers.body import FileBody

__all__ = [
    "content_disposition",
    "safe_join",
    "send_file",
    "send_from_directory",
]

PathOrFile = str | os.PathLike[str] | IO[bytes]
Fields = list[tuple[str, str]]
MaxAge = int | None | Callable[[str | None], int | None]

# Paths -----------------------------------------------------------------------------------

# Names that Windows gives to devices, in every folder and with any extension.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])", re.IGNORECASE)
# A character that ends a name or changes its meaning somewhere: a backslash separates on
# Windows, a colon after one letter names a drive there, NUL ends a path for the system.
_UNSAFE_SEGMENT = re.compile(r"[\\\x00]|^[A-Za-z]:")


def _is_safe_segment(segment: str) -> bool:
    if _UNSAFE_SEGMENT.search(segment):
        return False
    # Windows drops dots and spaces at the end of a name, so ".. " and "..." lead upwards.
    if segment != "." and not segment.rstrip(". "):
        return False
    # An extension, a stream (":name") or trailing spaces do not make a device a file.
    name = segment.partition(":")[0].partition(".")[0].rstrip(" ")
    return _DEVICE.fullmatch(name) is None


def safe_join(directory: str, *untrusted: str) -> str | None:
    r"""Join paths that a client chose to a folder that it may not leave.

    The parts are URL paths: only ``/`` separates. On every system the same is refused, so that
    what was tested on one holds on the other: a path that leads above the folder, an absolute
    path, a drive, a UNC path, a backslash, NUL, and the names of Windows' devices in any
    case, with an extension or trailing dots and spaces. It looks at names alone: whether the
    file exists, or is a symbolic link, is for the caller (:func:`send_from_directory` asks).

    >>> safe_join("uploads", "img/a.png")
    'uploads/img/a.png'
    >>> safe_join("uploads", "../config.py") is safe_join("uploads", "nul.txt") is None
    True

    :param directory: The trusted folder; ``""`` is the working directory.
    :param untrusted: Parts to add; empty ones are skipped.
    :return: The path, or ``None`` if it is not safe.
    :source: Werkzeug: the same, with the rules for Windows on Windows only.
    """
    parts = [directory or "."]
    for part in untrusted:
        if not part:
            continue
        if part.startswith("/"):
            return None
        part = posixpath.normpath(part)
        if not all(map(_is_safe_segment, part.split("/"))):
            return None
        parts.append(part)
    return posixpath.join(*parts)


def _is_link(status: os.stat_result) -> bool:
    # A junction on Windows is no symbolic link, but leads elsewhere as one does.
    return stat.S_ISLNK(status.st_mode) or bool(getattr(status, "st_reparse_tag", 0))


def _find(base: str, path: str, follow: bool) -> tuple[str, os.stat_result]:
    """The regular file at ``path`` under ``base``, with its status.

    :raises NotFound: if there is none, or a symbolic link leads out of ``base`` and ``follow``
        does not allow it.
    """
    full = safe_join(base, path)
    if full is None:
        raise NotFound
    try:
        status = os.stat(full) if follow else _stat_inside(base, full)
    except (OSError, ValueError):
        raise NotFound from None
    if not stat.S_ISREG(status.st_mode):
        raise NotFound
    return full, status


def _stat_inside(base: str, full: str) -> os.stat_result:
    """The status of a path under ``base``; one call per part of it, unless one is a link."""
    current = base
    status: os.stat_result | None = None
    for part in full[len(base) :].split("/"):
        if not part:
            continue
        current = os.path.join(current, part)
        status = os.lstat(current)
        if _is_link(status):
            target = os.path.normcase(os.path.realpath(full))
            home = os.path.normcase(os.path.join(os.path.realpath(base), ""))
            if not target.startswith(home):
                raise FileNotFoundError(full)
            return os.stat(full)
    return os.stat(base) if status is None else status


# Headers ---------------------------------------------------------------------------------

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")

# What an HTML5 page loads, for systems whose table of types is older than that.
_NEWER_TYPES = {
    ".avif": "image/avif",
    ".map": "application/json",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".opus": "audio/ogg",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}


def _guess_type(name: str) -> tuple[str, str | None]:
    import mimetypes  # its table is read from the system's files, when first needed

    mimetype, encoding = mimetypes.guess_type(name)
    if mimetype is None:
        extension = os.path.splitext(name)[1].lower()
        mimetype = _NEWER_TYPES.get(extension, "application/octet-stream")
    return mimetype, encoding


def content_disposition(name: str, as_attachment: bool = False) -> str:
    r"""The value of a ``Content-Disposition`` field that names a file.

    A name outside ASCII is sent twice: as the nearest ASCII for very old clients, and whole, in
    UTF-8. Control characters become underscores.

    >>> content_disposition("a b.txt", as_attachment=True)
    'attachment; filename="a b.txt"'
    >>> content_disposition("Zürich.pdf")
    "inline; filename=Zurich.pdf; filename*=UTF-8''Z%C3%BCrich.pdf"

    :param name: The file's name; undecodable bytes of a file system's name are replaced.
    :param as_attachment: Whether the browser should save it rather than show it.
    :source: RFC 6266, sections 4.2, 4.3 and appendix D; RFC 8187. Werkzeug: the same.
    """
    name = _CONTROLS.sub("_", name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    kind = "attachment" if as_attachment else "inline"
    if name.isascii():
        return dump_options_header(kind, {"filename": name})
    simple = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    if not simple or (simple.startswith(".") and not name.startswith(".")):
        simple = f"download{simple}"
    # attr-char of RFC 8187, section 3.2.1
    extended = "UTF-8''" + quote(name, safe="!#$&+-.^_`|~")
    return dump_options_header(kind, {"filename": simple, "filename*": extended})


def _describe(
    fields: Fields, mimetype: str | None, download_name: str | None, as_attachment: bool
) -> str:
    """Set what says how a client shall take the file, and return its type."""
    if mimetype is None:
        if download_name is None:
            raise TypeError(
                "The type of a file without a name cannot be guessed. Pass 'mimetype' or"
                " 'download_name', or a path instead of a file object."
            )
        mimetype, encoding = _guess_type(download_name)
        # A browser that saves an attachment would decompress it under its compressed name.
        if encoding is not None and not as_attachment:
            fields.append(("Content-Encoding", encoding))
    if download_name is not None:
        fields.append(("Content-Disposition", content_disposition(download_name, as_attachment)))
    elif as_attachment:
        raise TypeError(
            "An attachment needs a name. Pass 'download_name', or a path instead of a file object."
        )
    fields.append(("X-Content-Type-Options", "nosniff"))
    return mimetype


def _set_validators(
    fields: Fields,
    path: str | None,
    status: os.stat_result | None,
    etag: bool | str,
    last_modified: datetime | float | None,
) -> None:
    if last_modified is None and status is not None:
        last_modified = status.st_mtime
    if last_modified is not None:
        fields.append(("Last-Modified", http_date(last_modified)))
    if isinstance(etag, str):
        fields.append(("ETag", quote_etag(etag)))
    elif etag and path is not None and status is not None:
        check = zlib.adler32(os.fsencode(path)) & 0xFFFFFFFF
        fields.append(("ETag", quote_etag(f"{status.st_mtime}-{status.st_size}-{check}")))


def _set_caching(fields: Fields, max_age: int | None) -> None:
    if max_age is None:
        fields.append(("Cache-Control", "no-cache"))
        return
    rule = "public" if max_age > 0 else "no-cache"
    fields.append(("Cache-Control", f"{rule}, max-age={max_age}"))
    fields.append(("Expires", http_date(int(time.time()) + max_age)))


# Files -----------------------------------------------------------------------------------


class _Unmeasured:
    """A file object whose end is not looked for."""

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        self.close = getattr(file, "close", lambda: None)


def _measurable(file: Any) -> Any:
    """The file as a body may take it: one that would decompress all to find its end, hidden."""
    streams = (io.BytesIO, io.BufferedReader, io.BufferedRandom)
    if isinstance(file, io.BufferedIOBase) and not isinstance(file, streams):
        return _Unmeasured(cast("IO[bytes]", file))
    return file


def _check_file(file: Any) -> None:
    if isinstance(file, io.TextIOBase):
        raise ValueError(
            f"send_file got a file opened in text mode, {file!r}. Open it in binary mode ('rb') or"
            " use io.BytesIO."
        )
    if not hasattr(file, "read"):
        raise TypeError(
            f"send_file takes a path or a binary file object, not {type(file).__name__!r}."
        )


def send_file(
    path_or_file: PathOrFile,
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | float | None = None,
    max_age: MaxAge = None,
) -> Response:
    """A response with the content of a file.

    The path is trusted: never pass one that a client chose; that is
    :func:`send_from_directory`'s work. The content is read in a worker thread while it is sent.

    .. code-block:: python

        @app.get("/report")
        async def report():
            return send_file("reports/latest.pdf", as_attachment=True, download_name="Bericht.pdf")

    :param path_or_file: A path, relative to the application's root path; or a file object
        opened in binary mode, which is sent from its position on, and closed.
    :param mimetype: By default guessed from the name.
    :param as_attachment: Whether the browser should save it rather than show it.
    :param download_name: The name to save it under; by default the path's last part.
    :param conditional: Answer conditional and range requests.
    :param etag: The entity tag, or whether to make one of the path, size and time of change.
    :param last_modified: A date or POSIX time; by default the file's time of change.
    :param max_age: Seconds that a client may use the file without asking again, or a function
        that gives them for a path; by default ``app.get_send_file_max_age``.
    :raises FileNotFoundError: if there is no such file.
    :raises ValueError: for a file object opened in text mode.
    :raises RequestedRangeNotSatisfiable: if the request asks for bytes beyond the end.
    :source: Flask: the same. RFC 9110, sections 13 and 14.
    """
    path = file = status = None
    if isinstance(path_or_file, (str, os.PathLike)):
        path = os.path.join(require_request().app.root_path, path_or_file)
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(f"send_file got a folder: {path!r}")
    else:
        file = path_or_file
        _check_file(file)
    return _respond(
        path,
        file,
        status,
        mimetype=mimetype,
        as_attachment=as_attachment,
        download_name=download_name,
        conditional=conditional,
        etag=etag,
        last_modified=last_modified,
        max_age=max_age,
    )


def _respond(
    path: str | None,
    file: IO[bytes] | None,
    status: os.stat_result | None,
    *,
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: datetime | float | None = None,
    max_age: MaxAge = None,
) -> Response:
    ctx = require_request()
    app, request = ctx.app, ctx.request
    assert request is not None
    if download_name is None and path is not None:
        download_name = os.path.basename(path)
    fields: Fields = []
    mimetype = _describe(fields, mimetype, download_name, as_attachment)
    if max_age is None:
        max_age = app.get_send_file_max_age
    _set_caching(fields, max_age(path) if callable(max_age) else max_age)
    _set_validators(fields, path, status, etag, last_modified)

    # The server that a file is left to answers ranges of it, from the file that it finds.
    if path is not None and app.config["USE_X_SENDFILE"]:
        fields.append(
            ("X-Sendfile", path if path.isascii() and path.isprintable() else quote(path))
        )
        body = size = None
    else:
        if path is not None and status is not None:
            body = FileBody(path, status.st_size)
        else:
            body = FileBody(_measurable(file))
        size = body.size
    response: Response = app.response_class(
        body, mimetype=mimetype, headers=fields, direct_passthrough=True
    )
    if conditional:
        try:
            response = response.make_conditional(
                request, accept_ranges=size is not None, complete_length=size
            )
        except RequestedRangeNotSatisfiable:
            response.close()
            raise
        if response.status_code != 200 and size is None:
            # Some servers send the file whatever the status is.
            response.headers.pop("X-Sendfile", None)
    return response


def send_from_directory(
    directory: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    follow_symlinks: bool | None = None,
    **kwargs: Any,
) -> Response:
    """A response with the content of a file that a client chose, from one folder.

    .. code-block:: python

        @app.get("/uploads/<path:name>")
        def download(name):
            return send_from_directory(app.config["UPLOAD_FOLDER"], name, as_attachment=True)

    :param directory: The folder, relative to the application's root path. Not from a client.
    :param path: The file's path in that folder, checked by :func:`safe_join`.
    :param follow_symlinks: Whether symbolic links may lead out of the folder; by default as the
        setting ``STATIC_FOLLOW_SYMLINKS`` says, which is ``False``.
    :param kwargs: As for :func:`send_file`.
    :raises NotFound: if there is no such regular file inside the folder.
    :source: Flask: the same, but following symbolic links.
    """
    app = require_request().app
    if follow_symlinks is None:
        follow_symlinks = bool(app.config.get("STATIC_FOLLOW_SYMLINKS", False))
    base = os.path.join(app.root_path, directory)
    full, status = _find(base, os.fspath(path), follow_symlinks)
    return _respond(full, None, status, **kwargs)


# Resources -------------------------------------------------------------------------------
