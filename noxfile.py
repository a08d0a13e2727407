"""What is run on Kolben, each thing in an environment of its own.

``nox -l`` lists the sessions; ``nox -s lint typing`` runs some; arguments after ``--`` go to the
tool. A Python that is not installed is left out.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]

nox.options.default_venv_backend = "virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["lint", "typing", "tests", "docs"]


def see_all_of_pyenv() -> None:
    """Let Pythons count as found that pyenv has installed but not switched on."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = {path.name for path in root.glob("versions/3.*") if (path / "bin" / "python").exists()}
    wanted = sorted(name for name in found if name.rpartition(".")[0] in PYTHONS)
    if wanted and "PYENV_VERSION" not in os.environ:
        os.environ["PYENV_VERSION"] = ":".join(wanted)


see_all_of_pyenv()


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, on every Python that is found."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
def minimums(session: nox.Session) -> None:
    """The tests, on the oldest Python with the lowest versions that pyproject.toml allows.

    Only what Kolben itself needs is held down: its dependencies and the extras ``fast`` and
    ``dotenv``. The peers and tools in ``test`` come as they are today.
    """
    constraints = Path(session.create_tmp(), "minimums.txt")
    constraints.write_text("\n".join(lowest_versions()) + "\n")
    session.install("-e", ".[test]", "-c", str(constraints))
    session.run("pytest", *session.posargs)


def lowest_versions() -> list[str]:
    """``name==version`` for each lower bound of the package and of its two run-time extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["fast"], *extras["dotenv"]]
    bound = re.compile(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?>=([^,;\s]+)")
    found = [bound.match(requirement) for requirement in wanted]
    without = [text for text, match in zip(wanted, found, strict=True) if match is None]
    if without:
        raise ValueError(f"no lower bound in pyproject.toml for: {', '.join(without)}")
    return [f"{match[1]}=={match[2]}" for match in found if match is not None]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff's rules and format, and the floors that import-linter keeps."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("lint-imports", "--no-logo")


@nox.session
def typing(session: nox.Session) -> None:
    """Strict mypy and pyright, on the source and on code as users write it."""
    session.install("-e", ".[dev]")
    session.run("mypy")
    session.run("pyright")


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as HTML, with warnings as errors, and its examples run."""
    session.install("-e", ".[docs,test]")
    build = ["sphinx-build", "-W", "--keep-going", "-q"]
    session.run(*build, "-b", "html", "docs", "docs/_build/html")
    session.run(*build, "-b", "doctest", "docs", "docs/_build/doctest")


@nox.session
def cover(session: nox.Session) -> None:
    """The tests, with the lines and branches of the source that they miss."""
    session.install("-e", ".[dev]")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", silent=True)
    session.run("coverage", "report")


@nox.session
def bench(session: nox.Session) -> None:
    """What a request costs, beside raw ASGI and WSGI and the peers; ``-- --check`` judges it."""
    session.install("-e", ".", "-r", "tests/benchmarks/requirements.txt")
    session.run("python", "tests/benchmarks/run.py", *session.posargs)
