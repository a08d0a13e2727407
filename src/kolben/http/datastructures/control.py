"""``Cache-Control`` and ``Content-Security-Policy`` as dictionaries with typed attributes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

from ..syntax import dump_header
from .immutable import ImmutableDictMixin
from .observed import CallbackDict


def cache_control_property(
    key: str, empty: Any, type: type[Any] | None, *, doc: str | None = None
) -> Any:
    """An attribute that reads and writes one directive of a cache control.

    :param key: The directive.
    :param empty: What the attribute is where the directive has no value.
    :param type: Converts the value; ``bool`` means that the directive is there or is not.
    :param doc: Text for the documentation.
    """
    if doc is None:
        kind = "present or not" if type is bool else "its value, None if it is absent"
        doc = f"The directive ``{key}``: {kind}."
    return property(
        lambda self: self._get_cache_value(key, empty, type),
        lambda self, value: self._set_cache_value(key, value, type),
        lambda self: self.pop(key, None),
        doc,
    )


class CacheControl(CallbackDict[str, str | None]):
    """Directives of a ``Cache-Control`` header; those without a value have ``None``.

    :param values: The directives; ``None`` means that there was no header, which ``provided``
        then says.
    :param on_update: Called with the object whenever it has been changed.
    :source: RFC 9111, section 5.2; RFC 5861; RFC 8246. Werkzeug: the same.
    """

    no_store: bool = cache_control_property("no-store", None, bool)
    max_age: int | None = cache_control_property("max-age", None, int)
    no_transform: bool = cache_control_property("no-transform", None, bool)
    stale_if_error: int | None = cache_control_property("stale-if-error", None, int)

    cache_property = staticmethod(cache_control_property)

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = (),
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(values, on_update)
        self.provided = values is not None

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (dict(self) if self.provided else None,)

    def _get_cache_value(self, key: str, empty: Any, type: type[Any] | None) -> Any:
        if type is bool:
            return key in self
        if key not in self:
            return None
        value = self[key]
        if value is None:
            return empty
        if type is None:
            return value
        try:
            return type(value)
        except ValueError:
            return None

    def _set_cache_value(self, key: str, value: Any, type: type[Any] | None) -> None:
        if type is bool:
            value = bool(value)
        if value is None or value is False:
            self.pop(key, None)
        elif value is True:
            self[key] = None
        else:
            self[key] = str(value if type is None else type(value))

    def to_header(self) -> str:
        """The directives as the header has them."""
        return dump_header(self)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        pairs = " ".join(f"{key}={value!r}" for key, value in sorted(self.items()))
        return f"<{type(self).__name__} {pairs}>"


class RequestCacheControl(ImmutableDictMixin[str, str | None], CacheControl):  # type: ignore[misc]
    """The directives that a client sent; they cannot be changed."""

    no_cache: bool = cache_control_property("no-cache", None, bool)
    max_stale: int | Literal[True] | None = cache_control_property("max-stale", True, int)
    min_fresh: int | None = cache_control_property("min-fresh", None, int)
    only_if_cached: bool = cache_control_property("only-if-cached", None, bool)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return CacheControl.__reduce_ex__(self, protocol)


class ResponseCacheControl(CacheControl):
    """The directives of a response.

    >>> cache = ResponseCacheControl()
    >>> cache.public, cache.max_age = True, 3600
    >>> cache.to_header()
    'public, max-age=3600'
    """

    no_cache: str | Literal[True] | None = cache_control_property("no-cache", True, None)
    public: bool = cache_control_property("public", None, bool)
    private: str | Literal[True] | None = cache_control_property("private", True, None)
    must_revalidate: bool = cache_control_property("must-revalidate", None, bool)
    proxy_revalidate: bool = cache_control_property("proxy-revalidate", None, bool)
    s_maxage: int | None = cache_control_property("s-maxage", None, int)
    immutable: bool = cache_control_property("immutable", None, bool)
    must_understand: bool = cache_control_property("must-understand", None, bool)
    stale_while_revalidate: int | None = cache_control_property("stale-while-revalidate", None, int)


def csp_property(key: str) -> Any:
    """An attribute that reads and writes one directive of a content security policy."""

    def write(self: ContentSecurityPolicy, value: str | None) -> None:
        if value is None:
            self.pop(key, None)
        else:
            self[key] = value

    return property(
        lambda self: self.get(key),
        write,
        lambda self: self.pop(key, None),
        f"The directive ``{key}``, or None.",
    )


class ContentSecurityPolicy(CallbackDict[str, str]):
    """The directives of a ``Content-Security-Policy`` header.

    >>> policy = ContentSecurityPolicy({"default-src": "'self'"})
    >>> policy.img_src = "*"
    >>> policy.to_header()
    "default-src 'self'; img-src *"

    :param values: As for :class:`CacheControl`, as is ``on_update``.
    :source: W3C, Content Security Policy Level 3. Werkzeug: the same.
    """

    base_uri: str | None = csp_property("base-uri")
    child_src: str | None = csp_property("child-src")
    connect_src: str | None = csp_property("connect-src")
    default_src: str | None = csp_property("default-src")
    font_src: str | None = csp_property("font-src")
    form_action: str | None = csp_property("form-action")
    frame_ancestors: str | None = csp_property("frame-ancestors")
    frame_src: str | None = csp_property("frame-src")
    img_src: str | None = csp_property("img-src")
    manifest_src: str | None = csp_property("manifest-src")
    media_src: str | None = csp_property("media-src")
    navigate_to: str | None = csp_property("navigate-to")
    object_src: str | None = csp_property("object-src")
    prefetch_src: str | None = csp_property("prefetch-src")
    plugin_types: str | None = csp_property("plugin-types")
    report_to: str | None = csp_property("report-to")
    report_uri: str | None = csp_property("report-uri")
    sandbox: str | None = csp_property("sandbox")
    script_src: str | None = csp_property("script-src")
    script_src_attr: str | None = csp_property("script-src-attr")
    script_src_elem: str | None = csp_property("script-src-elem")
    style_src: str | None = csp_property("style-src")
    style_src_attr: str | None = csp_property("style-src-attr")
    style_src_elem: str | None = csp_property("style-src-elem")
    worker_src: str | None = csp_property("worker-src")

    def __init__(
        self,
        values: Mapping[str, str] | Iterable[tuple[str, str]] | None = (),
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(values, on_update)
        self.provided = values is not None

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (dict(self) if self.provided else None,)

    def to_header(self) -> str:
        """The directives as the header has them."""
        return "; ".join(f"{key} {value}".rstrip() for key, value in self.items())

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        pairs = " ".join(f"{key}={value!r}" for key, value in sorted(self.items()))
        return f"<{type(self).__name__} {pairs}>"
