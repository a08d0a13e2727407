from __future__ import annotations

import json
import sys
import textwrap
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kolben.config import Config, ConfigAttribute, import_string


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path, {"DEBUG": False, "SHOP_NAME": "default"})


class Settings:
    SHOP_NAME = "object"
    lower = "no"
    Mixed = "no"
    _PRIVATE = "yes"
    A1 = 1

    @property
    def COMPUTED(self) -> str:
        return self.SHOP_NAME.upper()


class Further(Settings):
    INHERITED_BY = "further"


# From objects


def test_an_object_gives_its_upper_case_attributes(config: Config) -> None:
    config.from_object(Further)
    assert config["SHOP_NAME"] == "object"
    assert config["INHERITED_BY"] == "further"
    assert config["A1"] == 1
    assert config["_PRIVATE"] == "yes"
    assert "lower" not in config
    assert "Mixed" not in config
    assert isinstance(config["COMPUTED"], property)


def test_an_instance_gives_computed_settings(config: Config) -> None:
    config.from_object(Settings())
    assert config["COMPUTED"] == "OBJECT"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = "kolben_test_settings"
    folder = tmp_path / name
    folder.mkdir()
    (folder / "__init__.py").write_text("SHOP_NAME = 'package'\n")
    (folder / "prod.py").write_text("SHOP_NAME = 'prod'\nclass Inner:\n    SHOP_NAME = 'inner'\n")
    (folder / "broken.py").write_text("import kolben_test_not_there\n")
    (folder / "raising.py").write_text("raise KeyError('from the settings')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield name  # type: ignore[misc]
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


@pytest.mark.parametrize(
    ("suffix", "found"),
    [("", "package"), (".prod", "prod"), (".prod.Inner", "inner"), (".prod:Inner", "inner")],
)
def test_an_object_is_found_by_its_import_name(
    config: Config, package: str, suffix: str, found: str
) -> None:
    config.from_object(package + suffix)
    assert config["SHOP_NAME"] == found


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("kolben_test_missing", "kolben_test_missing"),
        ("kolben_test_missing.deep.er", "kolben_test_missing"),
        ("kolben_test_settings.missing", "kolben_test_settings.missing"),
        ("kolben_test_settings.prod.Missing", "Missing"),
        ("kolben_test_settings.prod:Missing", "Missing"),
        ("kolben_test_settings.missing:Inner", "kolben_test_settings.missing"),
        ("kolben_test_settings:", "is not an import name"),
        ("", "is not an import name"),
    ],
)
def test_an_import_error_names_what_is_missing(
    config: Config, package: str, name: str, message: str
) -> None:
    with pytest.raises(ImportError, match=message):
        config.from_object(name)


def test_an_error_inside_the_imported_module_is_not_hidden(config: Config, package: str) -> None:
    with pytest.raises(ModuleNotFoundError, match="kolben_test_not_there"):
        config.from_object(f"{package}.broken")
    with pytest.raises(KeyError, match="from the settings"):
        config.from_object(f"{package}.raising")


def test_import_string_gives_modules_and_objects() -> None:
    assert import_string("json") is json
    assert import_string("json:dumps") is json.dumps
    assert import_string("json.dumps") is json.dumps
    assert import_string("kolben.config:Config.from_object") is Config.from_object


# From Python files


def test_a_python_file(config: Config, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text(
        "helper = 2\nSHOP_SIZE = helper * 3\nHERE = __file__\nNAME = __name__\n"
    )
    assert config.from_pyfile("settings.py") is True
    assert config["SHOP_SIZE"] == 6
    assert config["HERE"] == str(tmp_path / "settings.py")
    assert "helper" not in config
    assert config.from_pyfile(tmp_path / "settings.py") is True


def test_a_python_file_says_its_encoding(config: Config, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_bytes(
        "# coding: latin-1\nSHOP = 'Flaschenöffner'\n".encode("latin-1")
    )
    config.from_pyfile("settings.py")
    assert config["SHOP"] == "Flaschenöffner"


@pytest.mark.parametrize("name", ["missing.py", ".", "settings.py/inside.py"])
def test_a_missing_file_is_an_error_unless_silent(
    config: Config, tmp_path: Path, name: str
) -> None:
    (tmp_path / "settings.py").write_text("")
    assert config.from_pyfile(name, silent=True) is False
    assert config.from_file(name, json.load, silent=True) is False
    with pytest.raises(OSError, match="Unable to load configuration file"):
        config.from_pyfile(name)
    with pytest.raises(OSError, match="Unable to load configuration file"):
        config.from_file(name, json.load)


def test_silence_is_not_for_errors_in_the_file(config: Config, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("raise FileNotFoundError(2, 'something else')\n")
    with pytest.raises(FileNotFoundError, match="something else"):
        config.from_pyfile("settings.py", silent=True)
    (tmp_path / "settings.py").write_text("SHOP = \n")
    with pytest.raises(SyntaxError):
        config.from_pyfile("settings.py", silent=True)


# From other files


def test_a_file_through_a_loader(config: Config, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"SHOP": "ü", "lower": 1}', encoding="utf-8")
    (tmp_path / "settings.toml").write_text("SHOP_TOML = 1\n[TABLE]\nlower = 2\n")
    assert config.from_file("settings.json", load=json.load) is True
    assert config.from_file("settings.toml", load=tomllib.load, text=False) is True
    assert config["SHOP"] == "ü"
    assert config["SHOP_TOML"] == 1
    assert config["TABLE"] == {"lower": 2}
    assert "lower" not in config


def test_an_error_of_the_loader_comes_through(config: Config, tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text("{")
    with pytest.raises(json.JSONDecodeError):
        config.from_file("settings.json", load=json.load, silent=True)


# From environment variables


def test_a_file_named_by_an_environment_variable(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.py").write_text("SHOP = 1\n")
    monkeypatch.setenv("SHOP_SETTINGS", str(tmp_path / "settings.py"))
    assert config.from_envvar("SHOP_SETTINGS") is True
    assert config["SHOP"] == 1
    monkeypatch.setenv("SHOP_SETTINGS", "missing.py")
    assert config.from_envvar("SHOP_SETTINGS", silent=True) is False
    with pytest.raises(OSError, match="Unable to load"):
        config.from_envvar("SHOP_SETTINGS")


@pytest.mark.parametrize("empty", [True, False])
def test_an_environment_variable_that_is_not_set(
    config: Config, monkeypatch: pytest.MonkeyPatch, empty: bool
) -> None:
    if empty:
        monkeypatch.setenv("SHOP_SETTINGS", "")
    else:
        monkeypatch.delenv("SHOP_SETTINGS", raising=False)
    assert config.from_envvar("SHOP_SETTINGS", silent=True) is False
    with pytest.raises(RuntimeError, match="'SHOP_SETTINGS' is not set"):
        config.from_envvar("SHOP_SETTINGS")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("1.5", 1.5), ("true", True), ("null", None), ("[1, 2]", [1, 2]),
        ('{"a": 1}', {"a": 1}), ('"1"', "1"), ("plain", "plain"), ("True", "True"), ("", ""),
        ("{broken", "{broken"),
    ],
)  # fmt: skip
def test_prefixed_variables_are_read_as_json(
    config: Config, monkeypatch: pytest.MonkeyPatch, text: str, value: Any
) -> None:
    monkeypatch.setenv("KOLBEN_SHOP", text)
    assert config.from_prefixed_env() is True
    assert config["SHOP"] == value
    assert type(config["SHOP"]) is type(value)


def test_only_the_prefix_with_its_underscore_counts(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_A", "1")
    monkeypatch.setenv("SHOPB", "2")
    monkeypatch.setenv("NOT_SHOP_C", "3")
    config.from_prefixed_env("SHOP")
    assert config["A"] == 1
    assert not {"B", "C", "SHOPB"} & config.keys()


def test_double_underscores_lead_into_dicts(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    config["DB"] = {"host": "old", "port": 1}
    monkeypatch.setenv("KOLBEN_DB__port", "5432")
    monkeypatch.setenv("KOLBEN_NEW__deep__er", "x")
    monkeypatch.setenv("KOLBEN_MAP", '{"a": 1}')
    monkeypatch.setenv("KOLBEN_MAP__b", "2")
    config.from_prefixed_env()
    assert config["DB"] == {"host": "old", "port": 5432}
    assert config["NEW"] == {"deep": {"er": "x"}}
    assert config["MAP"] == {"a": 1, "b": 2}


def test_a_variable_that_leads_into_something_else_is_named(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KOLBEN_DB", "1")
    monkeypatch.setenv("KOLBEN_DB__HOST", "x")
    with pytest.raises(ValueError, match="'KOLBEN_DB__HOST' sets something inside 'DB'"):
        config.from_prefixed_env()


def test_a_loader_of_ones_own(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOLBEN_SHOP", "5")
    monkeypatch.setenv("KOLBEN_TEXT", "x")
    config.from_prefixed_env(loads=int)
    assert (config["SHOP"], config["TEXT"]) == (5, "x")


# From mappings


def test_mappings_and_keywords(config: Config) -> None:
    assert config.from_mapping({"SHOP": 1, "lower": 2}, SHOP2=3, low=4) is True
    assert config.from_mapping(SHOP3=5) is True
    assert config.from_mapping() is True
    assert (config["SHOP"], config["SHOP2"], config["SHOP3"]) == (1, 3, 5)
    assert not {"lower", "low"} & config.keys()
    config.from_mapping({"SHOP": 1}, SHOP=2)
    assert config["SHOP"] == 2


def test_namespaces() -> None:
    config = Config("", {"SHOP_A": 1, "SHOP_BIG_NAME": 2, "OTHER": 3})
    assert config.get_namespace("SHOP_") == {"a": 1, "big_name": 2}
    assert config.get_namespace("SHOP_", lowercase=False) == {"A": 1, "BIG_NAME": 2}
    assert config.get_namespace("SHOP_", trim_namespace=False) == {
        "shop_a": 1,
        "shop_big_name": 2,
    }
    assert config.get_namespace("SHOP_", False, False) == {"SHOP_A": 1, "SHOP_BIG_NAME": 2}


# The dict, and attributes that stand for its values


def test_it_is_a_dict_of_its_own() -> None:
    defaults = {"A": 1}
    config = Config("root", defaults)
    config["A"] = 2
    assert defaults == {"A": 1}
    assert config.root_path == "root"
    assert repr(config) == "<Config {'A': 2}>"
    assert Config("root") == {}


class App:
    config: dict[str, Any]
    secret_key = ConfigAttribute[str]("SECRET_KEY")
    lifetime = ConfigAttribute(
        "LIFETIME",
        get_converter=lambda value: (
            value if isinstance(value, timedelta) else timedelta(seconds=value)
        ),
    )

    def __init__(self) -> None:
        self.config = {"SECRET_KEY": "dev", "LIFETIME": 5}


def test_an_attribute_stands_for_a_setting() -> None:
    app = App()
    assert app.secret_key == "dev"
    app.secret_key = "other"
    assert app.config["SECRET_KEY"] == "other"
    assert app.lifetime == timedelta(seconds=5)
    app.lifetime = timedelta(days=1)
    assert app.config["LIFETIME"] == timedelta(days=1)
    assert App.secret_key.__name__ == "SECRET_KEY"


def test_a_configuration_file_as_flask_documents_it(config: Config, tmp_path: Path) -> None:
    (tmp_path / "app.cfg").write_text(
        textwrap.dedent(
            """\
            # Example configuration
            DEBUG = False
            SECRET_KEY = 'bla'
            """
        )
    )
    config.from_pyfile("app.cfg")
    assert config["SECRET_KEY"] == "bla"
