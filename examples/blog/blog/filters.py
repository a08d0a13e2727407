"""Template filters: how dates, names and texts are shown."""

from __future__ import annotations

import re
import zlib
from datetime import datetime

from markupsafe import Markup, escape

from kolben import Kolben

WORDS_PER_MINUTE = 220
HUES = 8


def day(stamp: str) -> str:
    """Write a stored time as a date.

    >>> day("2026-03-07T18:30:00Z")
    '7 Mar 2026'
    """
    moment = datetime.fromisoformat(stamp)
    return f"{moment.day} {moment:%b %Y}"


def initials(name: str) -> str:
    """Shorten a name to one or two letters.

    >>> initials("ada"), initials("grace-hopper")
    ('A', 'GH')
    """
    words = [word for word in re.split(r"[-_]", name) if word]
    return "".join(word[0] for word in words[:2]).upper()


def hue(name: str) -> int:
    """Give each name one of eight colours, always the same one."""
    return zlib.crc32(name.lower().encode()) % HUES


def minutes(text: str) -> int:
    """Estimate how long a text takes to read.

    >>> minutes("word " * 500)
    2
    """
    return max(1, round(len(text.split()) / WORDS_PER_MINUTE))


def prose(text: str) -> Markup:
    """Turn plain text into paragraphs; a blank line begins a new one.

    >>> prose("one\\n<two>\\n\\nthree")
    Markup('<p>one<br>\\n&lt;two&gt;</p>\\n<p>three</p>')
    """
    paragraphs = re.split(r"\n\s*\n", text.strip())
    lines = (Markup("<br>\n").join(escape(line) for line in p.split("\n")) for p in paragraphs)
    return Markup("\n").join(Markup("<p>{}</p>").format(p) for p in lines)


def init_app(app: Kolben) -> None:
    """Make the filters known to an application's templates."""
    for function in (day, initials, hue, minutes, prose):
        app.add_template_filter(function)
