"""Blueprints: registration that is recorded now and applied to an application later."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from ..typing import ErrorHandlerCallable, RouteCallable
from .mounts import MountRecord, add_mount, check_name, check_prefix, make_record
from .scaffold import Scaffold, check_methods, endpoint_from_view_func

if TYPE_CHECKING:
    from ..context import Kolben

F = TypeVar("F", bound=Callable[..., Any])
DeferredSetupFunction: TypeAlias = "Callable[[BlueprintSetupState], None]"

_unset: Any = object()
#: The options of a route that are about its request's body.
#: What a route may say beside what its rule takes.
ROUTE_OPTIONS = ("stream", "middleware", "timeout")
BODY_OPTIONS = ("max_content_length", "max_form_memory_size", "max_form_parts")


class BlueprintSetupState:
    """One registration of a blueprint on an application.

    Functions given to :meth:`Blueprint.record` are called with it.

    :param blueprint: The blueprint.
    :param app: The application that it is registered on.
    :param options: The keyword arguments of the registration.
    :param first_registration: Whether the blueprint was not registered there before.
    :source: Flask's documented ``BlueprintSetupState``.
    """

    def __init__(
        self, blueprint: Blueprint, app: Kolben, options: Any, first_registration: bool
    ) -> None:
        self.app = app
        self.blueprint = blueprint
        self.options = options
        self.first_registration = first_registration
        subdomain = options.get("subdomain")
        self.subdomain: str | None = blueprint.subdomain if subdomain is None else subdomain
        url_prefix = options.get("url_prefix")
        self.url_prefix: str | None = blueprint.url_prefix if url_prefix is None else url_prefix
        self.name: str = options.get("name", blueprint.name)
        self.name_prefix: str = options.get("name_prefix", "")
        self.url_defaults = {**blueprint.url_values_defaults, **options.get("url_defaults", {})}
        self.limits: dict[str, int | None] = {**options.get("limits", {}), **blueprint.limits}

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        **options: Any,
    ) -> None:
        """Register a rule on the application, with the blueprint's prefix, name and defaults."""
        if self.url_prefix is not None:
            rule = f"{self.url_prefix.rstrip('/')}/{rule.lstrip('/')}" if rule else self.url_prefix
        options.setdefault("subdomain", self.subdomain)
        for option, value in self.limits.items():
            options.setdefault(option, value)
        if endpoint is None:
            endpoint = endpoint_from_view_func(view_func)  # type: ignore[arg-type]
        defaults = self.url_defaults
        if "defaults" in options:
            defaults = {**defaults, **options.pop("defaults")}
        self.app.add_url_rule(
            rule,
            f"{self.name_prefix}.{self.name}.{endpoint}".lstrip("."),
            view_func,
            defaults=defaults,
            **options,
        )

    def mount(self, record: MountRecord) -> None:
        """Mount on the application, with the blueprint's prefix and name.

        :raises ValueError: if the blueprint has a subdomain.
        """
        if self.subdomain is not None:
            raise ValueError(
                f"The blueprint {self.blueprint.name!r} cannot mount {record}: it belongs to the"
                f" subdomain {self.subdomain!r}, and a mount answers for all hosts."
            )
        if self.url_prefix is not None:
            prefix = f"{self.url_prefix.rstrip('/')}{record.prefix}"
            check_prefix(prefix or "/")
            record = replace(record, prefix=prefix)
        if record.name is not None:
            name = f"{self.name_prefix}.{self.name}.{record.name}".lstrip(".")
            record = replace(record, name=name)
        add_mount(self.app, record)


class Blueprint(Scaffold):
    """A part of an application, registered as a whole: routes, hooks, templates, files.

    .. code-block:: python

        bp = Blueprint("auth", __name__, url_prefix="/auth")

        @bp.get("/login")
        def login(): ...

        app.register_blueprint(bp)

    :param name: Prefixes the endpoints; without dots.
    :param import_name: The module, usually ``__name__``.
    :param url_prefix: Prefixes the URL rules.
    :param subdomain: The subdomain of the rules.
    :param url_defaults: Defaults of all rules.
    :param cli_group: The name of the group for the blueprint's commands; ``None`` puts them
        at the top. By default the blueprint's name.
    :param max_content_length: The limit of request bodies in bytes, for all routes that do not
        say otherwise; ``None`` lifts it.
    :param max_form_memory_size: The limit of a form's fields in bytes, likewise.
    :param max_form_parts: The limit of a form's parts, likewise.
    :source: Flask's documented ``Blueprint``; the limits are Kolben's.
    """

    _got_registered_once = False

    def __init__(
        self,
        name: str,
        import_name: str,
        static_folder: str | os.PathLike[str] | None = None,
        static_url_path: str | None = None,
        template_folder: str | os.PathLike[str] | None = None,
        url_prefix: str | None = None,
        subdomain: str | None = None,
        url_defaults: dict[str, Any] | None = None,
        root_path: str | None = None,
        cli_group: str | None = _unset,
        *,
        max_content_length: int | None = _unset,
        max_form_memory_size: int | None = _unset,
        max_form_parts: int | None = _unset,
    ) -> None:
        super().__init__(import_name, static_folder, static_url_path, template_folder, root_path)
        if not name:
            raise ValueError("'name' may not be empty.")
        if "." in name:
            raise ValueError("'name' may not contain a dot '.' character.")
        self.name = name
        self.url_prefix = url_prefix
        self.subdomain = subdomain
        self.deferred_functions: list[DeferredSetupFunction] = []
        self.url_values_defaults = url_defaults or {}
        self.cli_group = cli_group
        limits = (max_content_length, max_form_memory_size, max_form_parts)
        #: The limits of request bodies that were given.
        self.limits: dict[str, int | None] = {
            option: value
            for option, value in zip(BODY_OPTIONS, limits, strict=True)
            if value is not _unset
        }
        self._blueprints: list[tuple[Blueprint, dict[str, Any]]] = []

    def _check_setup_finished(self, f_name: str) -> None:
        if self._got_registered_once:
            raise AssertionError(
                f"The setup method '{f_name}' can no longer be called on the blueprint"
                f" '{self.name}'. It has already been registered at least once, any changes will"
                " not be applied consistently.\nMake sure all imports, decorators, functions,"
                " etc. needed to set up the blueprint are done before registering it."
            )

    # Recording ---------------------------------------------------------------------------

    def record(self, func: DeferredSetupFunction) -> None:
        """Call a function with the :class:`BlueprintSetupState` at each registration."""
        self._check_setup_finished("record")
        self.deferred_functions.append(func)

    def record_once(self, func: DeferredSetupFunction) -> None:
        """:meth:`record`, for the first registration alone."""

        def wrapper(state: BlueprintSetupState) -> None:
            if state.first_registration:
                func(state)

        self.record(update_wrapper(wrapper, func))

    def make_setup_state(
        self, app: Kolben, options: dict[str, Any], first_registration: bool = False
    ) -> BlueprintSetupState:
        """The state for one registration; a subclass may return one of its own class."""
        return BlueprintSetupState(self, app, options, first_registration)

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        """Register a blueprint inside this one; names and prefixes add up.

        :raises ValueError: for a blueprint inside itself.
        """
        self._check_setup_finished("register_blueprint")
        if blueprint is self:
            raise ValueError("Cannot register a blueprint on itself")
        self._blueprints.append((blueprint, options))

    def register(self, app: Kolben, options: dict[str, Any]) -> None:
        """Apply what was recorded; :meth:`Kolben.register_blueprint` calls this.

        :raises ValueError: if the name is taken.
        """
        name_prefix = options.get("name_prefix", "")
        self_name = options.get("name", self.name)
        name = f"{name_prefix}.{self_name}".lstrip(".")
        if name in app.blueprints:
            bp_desc = "this" if app.blueprints[name] is self else "a different"
            existing_at = f" '{name}'" if self_name != name else ""
            raise ValueError(
                f"The name '{self_name}' is already registered for {bp_desc} blueprint"
                f"{existing_at}. Use 'name=' to provide a unique name."
            )
        check_name(app, name)
        first_bp_registration = not any(bp is self for bp in app.blueprints.values())
        app.blueprints[name] = self
        self._got_registered_once = True
        state = self.make_setup_state(app, options, first_bp_registration)
        if self.has_static_folder:
            state.add_url_rule(
                f"{self.static_url_path}/<path:filename>",
                view_func=self.send_static_file,
                endpoint="static",
            )
        self._merge_functions(app, name)
        for deferred in self.deferred_functions:
            deferred(state)
        self._register_commands(app, options, name)
        for blueprint, bp_options in self._blueprints:
            blueprint.register(app, self._options_of_nested(state, blueprint, bp_options, name))

    def _options_of_nested(
        self, state: BlueprintSetupState, blueprint: Blueprint, given: dict[str, Any], name: str
    ) -> dict[str, Any]:
        options = given.copy()
        subdomain = options.get("subdomain")
        if subdomain is None:
            subdomain = blueprint.subdomain
        if state.subdomain is not None and subdomain is not None:
            options["subdomain"] = f"{subdomain}.{state.subdomain}"
        elif state.subdomain is not None or subdomain is not None:
            options["subdomain"] = subdomain if state.subdomain is None else state.subdomain
        url_prefix = options.get("url_prefix")
        if url_prefix is None:
            url_prefix = blueprint.url_prefix
        if state.url_prefix is not None and url_prefix is not None:
            options["url_prefix"] = f"{state.url_prefix.rstrip('/')}/{url_prefix.lstrip('/')}"
        elif state.url_prefix is not None or url_prefix is not None:
            options["url_prefix"] = url_prefix if state.url_prefix is None else state.url_prefix
        options["name_prefix"] = name
        options["limits"] = state.limits
        return options

    def _register_commands(self, app: Kolben, options: dict[str, Any], name: str) -> None:
        if "cli" not in self.__dict__ or not self.cli.commands:
            return
        group = options.get("cli_group", self.cli_group)
        if group is None:
            app.cli.commands.update(self.cli.commands)
        else:
            self.cli.name = name if group is _unset else group
            app.cli.add_command(self.cli)

    def _merge_functions(self, app: Kolben, name: str) -> None:
        def scope(key: str | None) -> str:
            return name if key is None else f"{name}.{key}"

        for attribute in (
            "middleware_funcs",
            "before_request_funcs",
            "after_request_funcs",
            "teardown_request_funcs",
            "template_context_processors",
            "url_value_preprocessors",
            "url_default_functions",
        ):
            theirs: defaultdict[str | None, list[Any]] = getattr(app, attribute)
            for key, functions in getattr(self, attribute).items():
                theirs[scope(key)].extend(functions)
        for key, by_code in self.error_handler_spec.items():
            spec = app.error_handler_spec[scope(key)]
            for code, by_class in by_code.items():
                spec[code].update(by_class)
        for endpoint, view in self.view_functions.items():
            # Flask: the endpoint as it was written. The blueprint's own rules say it shorter.
            app.view_functions[endpoint] = view
            app.view_functions.setdefault(f"{name}.{endpoint}", view)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: RouteCallable | None = None,
        provide_automatic_options: bool | None = None,
        **options: Any,
    ) -> None:
        """Record a URL rule; see :meth:`Scaffold.add_url_rule`."""
        self._check_setup_finished("add_url_rule")
        if endpoint and "." in endpoint:
            raise ValueError("'endpoint' may not contain a dot '.' character.")
        if view_func is not None and "." in getattr(view_func, "__name__", ""):
            raise ValueError("'view_func' name may not contain a dot '.' character.")
        check_methods(options.get("methods"))
        self.record(
            lambda s: s.add_url_rule(
                rule,
                endpoint,
                view_func,
                provide_automatic_options=provide_automatic_options,
                **options,
            )
        )

    def mount(
        self, prefix: str, other: Any, name: str | None = None, *, wsgi: bool | None = None
    ) -> None:
        """Record a mount, below the blueprint's prefix; see :meth:`Kolben.mount`."""
        self._check_setup_finished("mount")
        record = make_record(prefix, other, name, wsgi)
        self.record(lambda state: state.mount(record))

    # The same for the whole application --------------------------------------------------

    def _on_app(self, attribute: str, f: F) -> F:
        def add(state: BlueprintSetupState) -> None:
            getattr(state.app, attribute)[None].append(f)

        self.record_once(add)
        return f

    def before_app_request(self, f: F) -> F:
        """:meth:`before_request` for every request of the application."""
        return self._on_app("before_request_funcs", f)

    def after_app_request(self, f: F) -> F:
        """:meth:`after_request` for every request of the application."""
        return self._on_app("after_request_funcs", f)

    def teardown_app_request(self, f: F) -> F:
        """:meth:`teardown_request` for every request of the application."""
        return self._on_app("teardown_request_funcs", f)

    def app_context_processor(self, f: F) -> F:
        """:meth:`context_processor` for every template of the application."""
        return self._on_app("template_context_processors", f)

    def app_url_value_preprocessor(self, f: F) -> F:
        """:meth:`url_value_preprocessor` for every request of the application."""
        return self._on_app("url_value_preprocessors", f)

    def app_url_defaults(self, f: F) -> F:
        """:meth:`url_defaults` for every URL of the application."""
        return self._on_app("url_default_functions", f)

    def app_errorhandler(self, code: type[Exception] | int) -> Callable[[F], F]:
        """:meth:`errorhandler` for every request of the application."""

        def decorator(f: F) -> F:
            handler: ErrorHandlerCallable = f
            self.record_once(lambda s: s.app.register_error_handler(code, handler))
            return f

        return decorator

    def app_template_filter(self, name: str | None = None) -> Callable[[F], F]:
        """:meth:`Kolben.template_filter`, recorded."""
        return self._template("filter", name)

    def add_app_template_filter(self, f: Callable[..., Any], name: str | None = None) -> None:
        """:meth:`Kolben.add_template_filter`, recorded."""
        self._template("filter", name)(f)

    def app_template_test(self, name: str | None = None) -> Callable[[F], F]:
        """:meth:`Kolben.template_test`, recorded."""
        return self._template("test", name)

    def add_app_template_test(self, f: Callable[..., bool], name: str | None = None) -> None:
        """:meth:`Kolben.add_template_test`, recorded."""
        self._template("test", name)(f)

    def app_template_global(self, name: str | None = None) -> Callable[[F], F]:
        """:meth:`Kolben.template_global`, recorded."""
        return self._template("global", name)

    def add_app_template_global(self, f: Callable[..., Any], name: str | None = None) -> None:
        """:meth:`Kolben.add_template_global`, recorded."""
        self._template("global", name)(f)

    def _template(self, kind: str, name: str | None) -> Callable[[F], F]:
        def decorator(f: F) -> F:
            self.record_once(lambda s: getattr(s.app, f"add_template_{kind}")(f, name=name))
            return f

        return decorator
