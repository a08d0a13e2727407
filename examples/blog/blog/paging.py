"""Long lists, cut into pages."""

from __future__ import annotations

from dataclasses import dataclass

from kolben import abort, current_app, request


@dataclass(frozen=True)
class Page:
    """One page of a list.

    :param number: Counted from 1.
    :param size: Entries on a full page.
    :param total: Entries on all pages.

    >>> page = Page(number=2, size=10, total=25)
    >>> page.offset, page.count, page.previous, page.next
    (10, 3, 1, 3)
    """

    number: int
    size: int
    total: int

    @classmethod
    def asked_for(cls, total: int, size: int | None = None) -> Page:
        """Return the page that the request's ``?page=`` names, or answer 404."""
        page = cls(
            request.args.get("page", 1, type=int), size or current_app.config["PAGE_SIZE"], total
        )
        if not 1 <= page.number <= page.count:
            abort(404, "There is no such page.")
        return page

    @property
    def count(self) -> int:
        """How many pages there are; an empty list has one."""
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        """How many entries stand on the pages before."""
        return (self.number - 1) * self.size

    @property
    def previous(self) -> int | None:
        """The number of the page before, if there is one."""
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        """The number of the page after, if there is one."""
        return self.number + 1 if self.number < self.count else None
