"""Each example does what an introduction says that it does."""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1]


def load(name: str) -> ModuleType:
    """Import an example anew, so that no test sees another's application."""
    spec = importlib.util.spec_from_file_location(f"quickstart_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def client_of(name: str) -> Any:
    return load(name).app.test_client()


def test_every_example_has_a_test():
    tested = Path(__file__).read_text("utf-8")
    examples = {path.stem for path in FOLDER.glob("*.py")}
    assert {name for name in examples if f'"{name}"' not in tested} == set()


def test_the_first_application():
    answer = client_of("hello").get("/")
    assert (answer.status_code, answer.text) == (200, "Hello, Kolben!")
    assert answer.content_type == "text/html; charset=utf-8"


def test_the_first_application_is_found_by_the_command():
    environment = {**os.environ, "PYTHONPATH": str(FOLDER)}
    command = [sys.executable, "-m", "kolben", "--app", "hello", "routes"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "home" in done.stdout
    assert "/" in done.stdout


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/", "/post/5?draft=yes"),
        ("/user/ada", "User ada"),
        ("/user/<b>", "User &lt;b&gt;"),
        ("/post/5", "Post 5"),
        ("/path/a/b/c", "Subpath a/b/c"),
        ("/projects/", "The project page"),
        ("/about", "The about page"),
    ],
)
def test_routes(path, text):
    assert client_of("routing").get(path).text == text


def test_a_route_that_ends_with_a_slash_redirects_to_it():
    answer = client_of("routing").get("/projects")
    assert answer.status_code == 308
    assert answer.location == "http://localhost/projects/"


@pytest.mark.parametrize("path", ["/about/", "/post/five", "/user/a/b"])
def test_what_no_route_matches_is_not_found(path):
    assert client_of("routing").get(path).status_code == 404


@pytest.mark.parametrize("path", ["/submit", "/submit-async"])
def test_a_form_is_read_alike_in_both_colours(path):
    client = client_of("forms")
    answer = client.post(path, data={"data": "Käse & Brot"})
    assert answer.text == "Data received: Käse & Brot"
    assert client.post(path, data={}).status_code == 400
    assert client.get(path).status_code == 405


def test_the_form_leads_to_its_view():
    assert 'action="/submit"' in client_of("forms").get("/").text


def test_one_view_for_two_methods():
    client = client_of("forms")
    assert client.get("/login").text == "Hello, stranger"
    assert client.get("/login?name=ada").text == "Hello, ada"
    assert client.post("/login", data={"username": "ada"}).text == "Logging in ada"


@pytest.mark.parametrize("path", ["/user", "/user-async"])
def test_a_template_is_rendered_and_escaped_alike_in_both_colours(path):
    answer = client_of("rendering").get(f"{path}/<ada>")
    assert "<h1>Hello, &lt;ada&gt;!</h1>" in answer.text
    assert "<title>Profile</title>" in answer.text
    assert 'href="/static/style.css"' in answer.text


def test_a_static_file():
    client = client_of("static_files")
    assert client.get("/").text == '<link rel="stylesheet" href="/static/style.css">'
    answer = client.get("/static/style.css")
    assert answer.mimetype == "text/css"
    assert answer.data == (FOLDER / "static" / "style.css").read_bytes()
    answer.close()


def test_a_blueprint_in_two_places():
    client = client_of("blueprints")
    assert client.get("/login").text == "Login page"
    assert client.get("/logout").text == "Logged out. Again: /login"
    assert client.get("/admin/logout").text == "Logged out. Again: /admin/login"


def test_json():
    client = client_of("json_api")
    answer = client.get("/api/data")
    assert answer.json == {"name": "Kolben", "version": 1}
    assert answer.content_type == "application/json"
    assert client.get("/api/me").json == {"username": "ada", "theme": "dark"}
    assert client.get("/api/users").json == [{"name": "ada"}, {"name": "bob"}]
    answer = client.post("/api/echo", json=["a", None, 1.5])
    assert (answer.status_code, answer.json) == (201, {"received": ["a", None, 1.5]})
    assert client.post("/api/echo", data="{}").status_code == 415


def test_a_session():
    client = client_of("sessions")
    assert client.get("/").text == "You are not logged in"
    answer = client.post("/login", data={"username": "ada"}, follow_redirects=True)
    assert answer.text == "Logged in as ada"
    assert client.get("/logout", follow_redirects=True).text == "You are not logged in"


def test_a_message_is_flashed_once():
    client = client_of("flashing")
    assert "Your changes are saved." in client.get("/save", follow_redirects=True).text
    assert "Your changes are saved." not in client.get("/").text


def test_an_upload(tmp_path):
    module = load("uploads")
    module.app.config["UPLOAD_FOLDER"] = tmp_path / "uploads"
    client = module.app.test_client()
    file = (BytesIO(b"content"), "a file.txt")
    answer = client.post("/upload", data={"the_file": file}, follow_redirects=True)
    assert (answer.status_code, answer.data) == (200, b"content")
    assert answer.request.path == "/download"
    answer.close()
    file = (BytesIO(b"content"), "a file.txt")
    answer = client.post("/upload-async", data={"the_file": file})
    assert answer.json == {"name": "a file.txt", "size": 7}
    assert client.post("/upload", data={}).status_code == 400


def test_redirects_and_errors():
    client = client_of("redirects_and_errors")
    answer = client.get("/")
    assert (answer.status_code, answer.location) == (302, "/login")
    answer = client.get("/login")
    assert (answer.status_code, answer.json) == (401, {"error": "Unauthorized"})
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_cookies():
    client = client_of("cookies")
    assert client.get("/").text == "Hello, stranger"
    answer = client.get("/remember/ada")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert client.get("/").text == "Hello, ada"
    client.get("/forget")
    assert client.get("/").text == "Hello, stranger"


@pytest.mark.parametrize(
    ("path", "level", "message"),
    [
        ("/", logging.WARNING, "A warning occurred (42 apples)"),
        ("/async", logging.ERROR, "An error occurred"),
    ],
)
def test_the_log(caplog, path, level, message):
    assert client_of("logs").get(path).text == "Logged"
    assert ("quickstart_logs", level, message) in caplog.record_tuples


@pytest.mark.parametrize("path", ["/", "/async"])
def test_hooks_of_one_colour_serve_views_of_the_other(caplog, path):
    caplog.set_level(logging.INFO)
    answer = client_of("hooks").get(path)
    assert answer.text == "Hello, ada, in 2026"
    assert "Goodbye, ada" in caplog.messages
    assert answer.headers["X-App"] == "quickstart_hooks"
