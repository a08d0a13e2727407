"""What a client calls itself."""

from __future__ import annotations


class UserAgent:
    """The ``User-Agent`` header, not taken apart.

    A subclass may parse it and set the attributes; name it as the request's
    ``user_agent_class``.

    :param string: The field's value.
    :source: Werkzeug: the same.
    """

    #: Operating system, if a subclass finds it.
    platform: str | None = None
    #: Name of the browser, if a subclass finds it.
    browser: str | None = None
    #: Version of the browser, if a subclass finds it.
    version: str | None = None
    #: Language of the browser, if a subclass finds it.
    language: str | None = None

    def __init__(self, string: str) -> None:
        self.string = string

    def to_header(self) -> str:
        """The field's value."""
        return self.string

    def __bool__(self) -> bool:
        return bool(self.browser)

    def __str__(self) -> str:
        return self.string

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.browser}/{self.version}>"
