"""Pictures that visitors upload: checked, named and stored."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from kolben.http.datastructures import FileStorage

MAX_IMAGE_BYTES = 4 * 1024 * 1024

#: What a request with a picture may hold in all: the picture, and the form around it.
MAX_REQUEST_BYTES = MAX_IMAGE_BYTES + 512 * 1024


class ImageError(ValueError):
    """What was uploaded cannot be used; the message is for the visitor."""


def extension_for(head: bytes) -> str | None:
    """Tell a picture's type by its first 12 bytes, whatever its name claims.

    >>> extension_for(b"GIF89a......")
    '.gif'
    >>> extension_for(b"<script>....") is None
    True
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ".gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return ".webp"
    return None


def save_image(upload: FileStorage, folder: Path) -> str:
    """Store an upload under a random name, and return that name.

    Blocks on the disk: for ``def`` views.

    :raises ImageError: if it is no picture of a known type, or larger than ``MAX_IMAGE_BYTES``.
    """
    extension = extension_for(upload.stream.read(12))
    if extension is None:
        raise ImageError("This file is not a PNG, JPEG, GIF or WebP picture.")
    if upload.stream.seek(0, os.SEEK_END) > MAX_IMAGE_BYTES:
        raise ImageError(f"Pictures may have up to {MAX_IMAGE_BYTES // 1024**2} MB.")
    upload.stream.seek(0)
    folder.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(16) + extension
    upload.save(folder / name)
    return name


def remove_image(name: str | None, folder: Path) -> None:
    """Delete a stored picture, if there is one."""
    if name:
        (folder / name).unlink(missing_ok=True)
