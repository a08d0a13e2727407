"""Pictures for the demo, drawn with nothing but the standard library."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

Colour = tuple[int, int, int]


class Scene(NamedTuple):
    """What one picture is drawn with; ``east`` is where the sun stands, from 0 to 1."""

    top: Colour
    foot: Colour
    sun: Colour
    near: Colour
    phase: float
    east: float


SCENES = {
    "dawn": Scene((122, 160, 196), (250, 214, 180), (255, 244, 214), (44, 62, 88), 0.0, 0.31),
    "dusk": Scene((38, 44, 92), (244, 140, 104), (255, 206, 138), (26, 22, 48), 1.9, 0.68),
    "forest": Scene((150, 192, 186), (236, 240, 214), (255, 252, 232), (16, 58, 48), 4.1, 0.52),
}
HILLS = 5


def _mix(a: Colour, b: Colour, part: float) -> Colour:
    red, green, blue = (
        round(x + (y - x) * min(max(part, 0), 1)) for x, y in zip(a, b, strict=True)
    )
    return red, green, blue


def _ridge(hill: int, x: float, phase: float) -> float:
    """Return how far down a hill's ridge is at ``x``; both run from 0 to 1."""
    waves = sum(
        math.sin(x * math.tau * (0.6 + 0.55 * n * (1 + hill * 0.21)) + hill * 2.3 + n * n + phase)
        / n
        for n in range(1, 6)
    )
    return 0.5 + hill * 0.105 + waves * 0.045


def _columns(scene: Scene, width: int, height: int) -> Iterator[list[bytes]]:
    """Draw from left to right; a column is its pixels from the top down."""
    top, foot, sun, near, phase, east = scene
    sky = [_mix(top, foot, y / height / 0.72) for y in range(height)]
    plain_sky = [bytes(colour) for colour in sky]
    slopes: list[
        list[bytes]
    ] = []  # for each hill its colours from the ridge down, paler in the mist of the valley
    for hill in range(HILLS):
        colour = _mix(foot, near, 0.22 + 0.78 * hill / (HILLS - 1))
        part = 1.4 * (1 - hill / HILLS) / height
        slopes.append([bytes(_mix(colour, foot, min(y * part, 0.28))) for y in range(height)])
    sun_x, sun_y, radius = width * east, height * 0.36, height * 0.085
    for x in range(width):
        column = plain_sky.copy()
        ridges = [round(_ridge(hill, x / width, phase) * height) for hill in range(HILLS)]
        for y in range(min(ridges) if abs(x - sun_x) < radius * 5 else 0):
            distance = math.hypot(x - sun_x, y - sun_y)
            glow = 1.0 if distance < radius else 0.55 * max(1 - distance / (radius * 5), 0) ** 2
            column[y] = bytes(_mix(sky[y], sun, glow))
        for ridge, slope in zip(ridges, slopes, strict=True):
            column[ridge:] = slope[: height - ridge]
        yield column


def landscape(name: str, width: int = 960, height: int = 540) -> bytes:
    """Draw hills before a sky, and return them as a PNG file.

    :param name: Of a scene in :data:`SCENES`.
    :param width: In pixels.
    :param height: In pixels.
    """
    rows = zip(*_columns(SCENES[name], width, height), strict=True)
    pixels = b"".join(b"\0" + b"".join(row) for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
