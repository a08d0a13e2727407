"""URLs of endpoints."""

from __future__ import annotations

import functools
from typing import Any, cast
from urllib.parse import quote

from ..context import Context, require_app
from ..local import call
from ..routing import BuildError, MapAdapter


def url_for(
    endpoint: str,
    *,
    _anchor: str | None = None,
    _method: str | None = None,
    _scheme: str | None = None,
    _external: bool | None = None,
    **values: Any,
) -> str:
    """Build the URL of an endpoint.

    In a request the URL is relative to the host by default; with an application context alone
    it is complete, and ``SERVER_NAME`` must be configured.

    .. code-block:: python

        url_for("profile", name="ada", _anchor="posts")  # "/user/ada#posts"

    :param endpoint: The endpoint's name. One that begins with a dot belongs to the blueprint of
        the request. One of a mounted application has the name of the mount before it.
    :param _anchor: Appended as the URL's fragment.
    :param _method: Choose the rule that answers this method, where there are several.
    :param _scheme: The scheme of a complete URL, for example ``"https"``.
    :param _external: Whether the URL has scheme and host.
    :param values: The rule's variable parts; what the rule does not know becomes the query.
    :raises BuildError: if no rule fits, unless a build-error handler answers.
    :raises RuntimeError: without a context, or without one that knows the host.
    :source: Flask: the same.
    """
    return require_app().app.url_for(
        endpoint,
        _anchor=_anchor,
        _method=_method,
        _scheme=_scheme,
        _external=_external,
        **values,
    )


def build_url(
    app: Any,
    ctx: Context | None,
    endpoint: str,
    values: dict[str, Any],
    *,
    anchor: str | None = None,
    method: str | None = None,
    scheme: str | None = None,
    external: bool | None = None,
) -> str:
    """What ``Kolben.url_for`` does; see :func:`url_for`.

    :param app: The application.
    :param ctx: The current context; one of another application is not used.
    :param values: Changed in place by the functions given to ``url_defaults``.
    """
    if ctx is not None and ctx.app is not app:
        ctx = None
    adapter = app.create_url_adapter(None) if ctx is None else ctx.url_adapter
    if ctx is not None and ctx.request is not None:
        if endpoint[:1] == ".":
            blueprint = ctx.request.blueprint
            endpoint = f"{blueprint}{endpoint}" if blueprint is not None else endpoint[1:]
        if external is None:
            external = scheme is not None
    elif external is None:
        external = True
    if adapter is None:
        raise RuntimeError(
            "Cannot build a URL outside a request without knowing the host. Configure"
            " 'SERVER_NAME', and 'APPLICATION_ROOT' and 'PREFERRED_URL_SCHEME' where they"
            " differ from '/' and 'http'."
        )
    # A scheme on a relative URL would be lost without a word, and the link be insecure.
    if scheme is not None and not external:
        raise ValueError("'_scheme' needs a complete URL: leave '_external' out or set it to True.")

    try:
        url = _build(app, adapter, endpoint, values, method, scheme, bool(external))
    except BuildError as error:
        values.update(_anchor=anchor, _method=method, _scheme=scheme, _external=external)
        return cast("str", app.handle_url_build_error(error, endpoint, values))
    if anchor is not None:
        # What a fragment may hold beside unreserved characters: RFC 3986, section 3.5.
        url = f"{url}#" + quote(str(anchor), safe="%!#$&'()*+,/:;=?@")
    return url


def _build(
    app: Any,
    adapter: MapAdapter,
    endpoint: str,
    values: dict[str, Any],
    method: str | None,
    scheme: str | None,
    external: bool,
) -> str:
    """The URL of an endpoint of the application, or of one that is mounted in it."""
    mount = find_mount(app, endpoint) if app.mounts else None
    if mount is None:
        app.inject_url_defaults(endpoint, values)
        return adapter.build(
            endpoint, values, method=method, url_scheme=scheme, force_external=external
        )
    inner = mount.app
    below = inner.url_map.bind(
        adapter.get_host(None),
        script_name=adapter.script_name.rstrip("/") + mount.prefix,
        url_scheme=adapter.url_scheme,
        default_method=adapter.default_method,
    )
    endpoint = endpoint[len(mount.name) + 1 :]
    given = dict(values)  # the other application's functions change its own
    try:
        return _build(inner, below, endpoint, given, method, scheme, external)
    except BuildError as error:
        given.update(_method=method, _scheme=scheme, _external=external)
        return cast("str", inner.handle_url_build_error(error, endpoint, given))


def find_mount(app: Any, endpoint: str) -> Any:
    """The record of the mounted application that an endpoint belongs to, ``None`` if to none.

    A name may have dots, as a module's has; of several that fit it is the longest.
    """
    fitting = [
        mount
        for mount in app.mounts
        if mount.name is not None and endpoint.startswith(f"{mount.name}.")
    ]
    return max(fitting, key=lambda mount: len(mount.name), default=None)


@functools.lru_cache(maxsize=512)
def _blueprint_names(endpoint: str) -> tuple[str, ...]:
    """The blueprints that an endpoint belongs to, outermost first."""
    parts = endpoint.split(".")[:-1]
    return tuple(".".join(parts[: count + 1]) for count in range(len(parts)))


def inject_url_defaults(app: Any, endpoint: str, values: dict[str, Any]) -> None:
    """Run the ``url_defaults`` functions that apply to an endpoint, the application's first."""
    functions = app.url_default_functions
    if not functions:
        return
    for name in (None, *_blueprint_names(endpoint)):
        for function in functions.get(name, ()):
            call(function, endpoint, values)


def handle_url_build_error(
    app: Any, error: BuildError, endpoint: str, values: dict[str, Any]
) -> str:
    """Ask the application's build-error handlers for a URL, in the order of registration.

    :raises BuildError: ``error``, or what the last handler raised instead, if none answers.
    """
    for handler in app.url_build_error_handlers:
        try:
            url = call(handler, error, endpoint, values)
        except BuildError as raised:
            error = raised
        else:
            if url is not None:
                return cast("str", url)
    raise error
