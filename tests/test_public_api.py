"""What users import: its list is kept, it is typed, and importing it is cheap."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from types import FunctionType, ModuleType

import kolben


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for name, value in vars(kolben).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    # Flask offers these modules as names too.
    public |= {"json", "signals"} & set(kolben.__all__)
    assert kolben.__all__ == sorted(kolben.__all__)
    assert set(kolben.__all__) - {"__version__"} == public


def test_every_public_name_is_documented() -> None:
    undocumented = [
        name
        for name in kolben.__all__
        if isinstance(value := getattr(kolben, name), (type, FunctionType))
        and not (value.__doc__ or "").strip()
    ]
    assert undocumented == []


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert version("kolben") == "0.1.0"


def test_type_checkers_may_look_inside() -> None:
    assert files("kolben").joinpath("py.typed").is_file()


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_leaves_what_is_heavy_alone() -> None:
    """What only some programs need is imported when they need it."""
    loaded = modules_after("import kolben")
    heavy = {
        "a2wsgi",
        "anyio",
        "click",
        "email.parser",
        "h11",
        "http.client",
        "httptools",
        "msgspec",
        "multiprocessing",
        "sqlite3",
        "trio",
        "unittest",
        "urllib.request",
        "uvicorn",
        "uvloop",
        "watchfiles",
        "werkzeug",
        "xml",
    }
    assert heavy & loaded == set()
