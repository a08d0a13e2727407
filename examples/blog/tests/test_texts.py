"""How names, dates and texts are shown; the small functions without a request."""

from __future__ import annotations

import doctest
import importlib

import pytest
from blog import filters, images, passwords
from blog.paging import Page


@pytest.mark.parametrize("name", ["filters", "images", "paging", "passwords"])
def test_the_examples_in_docstrings_hold(name, monkeypatch):
    monkeypatch.undo()
    failed, tried = doctest.testmod(importlib.import_module(f"blog.{name}"))
    assert tried and not failed


def test_a_password_matches_only_its_own_digest():
    stored = passwords.hash_password("correct horse")
    assert passwords.check_password(stored, "correct horse")
    assert not passwords.check_password(stored, "correct horse ")
    assert not passwords.check_password(passwords.NOBODY, "")
    assert stored != passwords.hash_password("correct horse")


@pytest.mark.parametrize(
    ("head", "extension"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\0", ".png"),
        (b"\xff\xd8\xff\xe0\0\0\0\0\0\0\0\0", ".jpg"),
        (b"GIF87a\0\0\0\0\0\0", ".gif"),
        (b"RIFF\0\0\0\0WEBP", ".webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"<svg xmlns=", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_its_first_bytes(head, extension):
    assert images.extension_for(head) == extension


def test_prose_escapes_everything():
    assert filters.prose("<script>\n\n\n&amp;") == "<p>&lt;script&gt;</p>\n<p>&amp;amp;</p>"


def test_a_name_of_hyphens_has_no_initials():
    assert filters.initials("a-") == "A"
    assert filters.initials("a1-b2_c3") == "AB"


def test_a_hue_belongs_to_a_name():
    assert filters.hue("Ada") == filters.hue("ada")
    assert {filters.hue(f"user-{n}") for n in range(99)} == set(range(8))


@pytest.mark.parametrize(("total", "count"), [(0, 1), (1, 1), (10, 1), (11, 2)])
def test_pages_are_counted(total, count):
    assert Page(1, 10, total).count == count
