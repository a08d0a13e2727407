"""The blog in a real browser, served by ``kolben run`` in a process of its own.

The pictures of its pages are in the test's temporary folder (``pytest --basetemp=…`` chooses it).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blog.demo import POSTS
from blog.pictures import landscape

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

FOLDER = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}


def skip(reason: str) -> None:
    """Skip where somebody merely tries things out; a test run that counts must have a browser."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; in CI the browser tests have to run")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("screenshots")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("instance")
    return {
        **os.environ,
        "KOLBEN_DATABASE": str(folder / "blog.sqlite"),
        "KOLBEN_UPLOAD_FOLDER": str(folder / "uploads"),
        "KOLBEN_SECRET_KEY": "only for this browser",
        "PYTHONUNBUFFERED": "1",
    }


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def server(environment: dict[str, str], pictures: Path) -> Iterator[str]:
    """The address of a blog with the demo's posts, as ``kolben run`` serves it."""
    command = [sys.executable, "-m", "kolben", "--app", "blog"]
    subprocess.run([*command, "demo"], cwd=FOLDER, env=environment, check=True, timeout=60)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = pictures / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "run", "--port", str(port)],
            cwd=FOLDER,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            if answers(url):
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            pytest.fail(f"the server does not answer:\n{log.read_text()}")
        yield url
    finally:
        process.terminate()
        assert process.wait(30) in {0, -15}, log.read_text()
    assert "Traceback" not in log.read_text(), log.read_text()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip("playwright is not installed")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if chromium is None:
        skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """A page, and everything that went wrong on it."""

    def __init__(self, context: Any, url: str, pictures: Path) -> None:
        self.page = context.new_page()
        self.pictures = pictures
        self.url = url
        self.wrong: list[str] = []
        self.expected: set[int] = set()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("requestfailed", self._on_failure)
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)

    def _on_failure(self, request: Any) -> None:
        # Whoever goes on to the next page before the last one was complete gives up its rest.
        if request.failure != "net::ERR_ABORTED":
            self.wrong.append(f"failed: {request.url}, {request.failure}")

    def _on_console(self, message: Any) -> None:
        # Chromium notes every status from 400 up here; _on_response judges those.
        if message.type in {"error", "warning"} and "status of" not in message.text:
            self.wrong.append(message.text)

    def _on_request(self, request: Any) -> None:
        if not request.url.startswith((self.url, "blob:")):
            self.wrong.append(f"not the blog's own: {request.url}")

    def _on_response(self, response: Any) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.wrong.append(f"{response.status} {response.url}")

    def shoot(self, name: str, *, whole: bool = False) -> None:
        """Take a picture, with all pictures on the page loaded and no line too long for it."""
        self.page.wait_for_load_state("networkidle")
        broken = self.page.eval_on_selector_all(
            "img:not([hidden]):not([loading=lazy])",
            "images => images.filter(i => !i.complete || !i.naturalWidth).map(i => i.src)",
        )
        assert broken == []
        overflow = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} is wider than the window"
        if whole:
            self.page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path, full_page=whole)
        assert path.stat().st_size > 5000


@pytest.fixture
def open_page(browser: Any, server: str, pictures: Path) -> Iterator[Any]:
    """Open a page in a context of its own; nothing may have gone wrong on it in the end."""
    opened = []

    def open_page(**options: Any) -> Watched:
        options.setdefault("viewport", DESKTOP)
        context = browser.new_context(base_url=server, **options)
        context.set_default_timeout(30_000)
        opened.append((context, watched := Watched(context, server, pictures)))
        return watched

    yield open_page
    for context, watched in opened:
        context.close()
        assert watched.wrong == []


def register(page: Any, username: str) -> None:
    page.get_by_role("link", name="Join").click()
    page.get_by_label("Name").fill(username)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Create account").click()
    page.get_by_text(f"Welcome, {username}!").wait_for()


def test_a_visit_from_joining_to_logging_out(open_page, tmp_path):
    watched = open_page()
    page = watched.page
    picture, other = tmp_path / "hills.png", tmp_path / "other.png"
    picture.write_bytes(landscape("dusk", 960, 540))
    other.write_bytes(landscape("forest", 640, 360))

    page.goto("/")
    register(page, "ada-l")
    page.get_by_role("button", name="Log out").click()
    page.get_by_text("You are logged out.").wait_for()

    # A wrong password first; the name stays in its field.
    page.get_by_role("link", name="Log in").click()
    page.get_by_label("Name").fill("ada-l")
    page.get_by_label("Password").fill("wrong horse")
    watched.expected.add(422)
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Name and password do not match.").wait_for()
    assert page.get_by_label("Name").input_value() == "ada-l"
    watched.shoot("login-error")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.get_by_text("Good to see you again, ada-l.").wait_for()

    # A post with a picture; the first try lacks its text.
    page.get_by_role("link", name="Write").click()
    page.get_by_label("Title").fill("The hills, again")
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Write something first.").wait_for()
    assert page.get_by_label("Title").input_value() == "The hills, again"
    page.get_by_label("Text").fill("Every evening they move a little.\n\nNobody believes me.")
    page.get_by_label("Choose a picture").set_input_files(picture)
    page.get_by_label("Description").fill("Hills at dusk")
    page.get_by_alt_text("Preview of the chosen picture").wait_for()
    watched.shoot("editor", whole=True)
    page.get_by_role("button", name="Publish").click()
    page.get_by_text("Your post is out.").wait_for()
    assert page.locator("h1").inner_text() == "The hills, again"
    assert page.locator(".prose p").count() == 2
    cover = page.get_by_alt_text("Hills at dusk")
    assert cover.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [960, 540]
    address = page.url

    # Comments: an empty one is refused.
    page.get_by_role("button", name="Post comment").click()
    page.get_by_text("Write a comment first.").wait_for()
    page.get_by_label("Add a comment").fill("I believe you.")
    page.get_by_role("button", name="Post comment").click()
    page.get_by_text("Your comment is added.").wait_for()
    assert page.locator(".comment").inner_text().endswith("I believe you.")
    watched.shoot("own-post", whole=True)

    # An edit that replaces the picture.
    page.get_by_role("link", name="Edit").click()
    assert page.get_by_label("Description").input_value() == "Hills at dusk"
    page.get_by_label("Title").fill("The hills, moved")
    page.get_by_label("Replace it").set_input_files(other)
    watched.shoot("editor-with-picture", whole=True)
    page.get_by_role("button", name="Save changes").click()
    page.get_by_text("Your changes are saved.").wait_for()
    assert page.locator("h1").inner_text() == "The hills, moved"
    assert page.get_by_alt_text("Hills at dusk").evaluate("image => image.naturalWidth") == 640
    page.goto("/")
    assert page.get_by_role("link", name="The hills, moved").is_visible()

    # Deleting asks first; Escape says no.
    page.goto(address)
    page.locator(".post summary").click()
    page.get_by_text("Delete this post and its comments for good?").wait_for()
    watched.shoot("delete-question")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete post").wait_for(state="hidden")
    page.locator(".post summary").click()
    page.get_by_role("button", name="Delete post").click()
    page.get_by_text("“The hills, moved” is deleted.").wait_for()
    watched.expected.add(404)
    answer = page.goto(address)
    assert answer.status == 404
    watched.shoot("404")

    page.get_by_role("button", name="Log out").click()
    page.get_by_text("You are logged out.").wait_for()
    page.goto("/new")
    assert re.search(r"/auth/login\?next=(/|%2F)new$", page.url)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_pages_to_look_at(open_page, scheme, size):
    viewport = {"desktop": DESKTOP, "phone": PHONE}[size]
    watched = open_page(viewport=viewport, color_scheme=scheme)
    page = watched.page
    name = f"{size}-{scheme}"

    page.goto("/")
    newest = POSTS[-1][1]
    assert page.get_by_role("link", name=newest).first.is_visible()
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("[...document.images].every(image => image.complete)")
    page.evaluate("scrollTo(0, 0)")
    watched.shoot(f"front-{name}", whole=True)

    page.get_by_role("link", name=newest).first.click()
    page.wait_for_url("**/posts/*")
    assert page.locator(".comment").count() == 2
    watched.shoot(f"post-{name}", whole=True)

    page.goto("/auth/register")
    page.keyboard.press("Tab")
    assert page.get_by_role("link", name="Skip to the content").evaluate(
        "link => link === document.activeElement"
    )
    watched.shoot(f"join-{name}")

    page.goto("/by/ida")
    watched.shoot(f"author-{name}", whole=True)


def test_everything_works_without_scripts(open_page):
    watched = open_page(java_script_enabled=False)
    page = watched.page
    page.goto("/")
    register(page, "no-script")
    page.get_by_role("link", name="Write").click()
    page.get_by_label("Title").fill("Plain")
    page.get_by_label("Text").fill("Text.")
    page.get_by_role("button", name="Publish").click()
    page.locator(".post summary").click()
    page.get_by_role("button", name="Delete post").click()
    page.get_by_text("“Plain” is deleted.").wait_for()


def test_the_older_posts_are_on_the_next_page(open_page):
    page = open_page().page
    page.goto("/")
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**/?page=2")
    assert page.get_by_role("heading", name=POSTS[0][1]).is_visible()
