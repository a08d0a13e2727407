"""Cross-origin resource sharing: which other sites' scripts may read the responses."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import ClassVar, Required, TypeAlias, TypedDict, Unpack

from .._types import ASGIApp, Message, RawHeader, Receive, Scope, Send
from ..http.headers import is_token, parse_list_header
from ..wrappers import Request, Response
from .fields import find_field, with_vary

Origin: TypeAlias = "str | re.Pattern[str]"
#: Who may read: an origin, ``"*"``, a pattern, several of these, or a function that is asked.
Origins: TypeAlias = "Origin | Iterable[Origin] | Callable[[str], bool]"
CallNext: TypeAlias = Callable[[Request], Awaitable[Response]]

#: Headers that any script may send, if their values are simple; listed, their values may be any.
SAFELISTED_HEADERS = ("Accept", "Accept-Language", "Content-Language", "Content-Type")

#: In the scope: the policies that have decided about the response, the nearest to the view first.
DECIDED = "kolben.cors"

_ALLOW_ORIGIN = b"access-control-allow-origin"
_ASKS_METHOD = b"access-control-request-method"
_ASKS_HEADERS = b"access-control-request-headers"
_ASKS_NETWORK = b"access-control-request-private-network"

# scheme "://" host [ ":" port ], and nothing after it.           RFC 6454, section 6.2
_origin = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#@*\s]+").fullmatch


class PolicyOptions(TypedDict, total=False):
    """Which origins may do what; the options of :class:`CORS` and :func:`cors`."""

    #: An origin (``"https://example.com"``), a pattern (:func:`re.compile`) that must match the
    #: whole origin, or several of them; a function of the origin that tells whether it may; or
    #: ``"*"`` for everybody.
    origins: Required[Origins]
    #: The methods that may be used; ``"*"`` for all. By default those that HTTP has for data.
    methods: str | Iterable[str]
    #: The request headers that may be sent, beside :data:`SAFELISTED_HEADERS`; ``"*"`` for all.
    allow_headers: str | Iterable[str]
    #: The response headers that scripts may read, beside the usual ones.
    expose_headers: str | Iterable[str]
    #: Cookies and the like may be sent along.
    credentials: bool
    #: Seconds for which a browser may keep the answer to a preflight, by default 600; ``None``
    #: says nothing.
    max_age: int | None
    #: A page from the internet may reach this server in a private network.
    private_network: bool


class Policy:
    """Which origins may do what, made ready; :class:`PolicyOptions` describes the parameters.

    :source: Fetch Standard, section 3.2, "HTTP CORS protocol".
    """

    def __init__(
        self,
        *,
        origins: Origins,
        methods: str | Iterable[str] = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"),
        allow_headers: str | Iterable[str] = (),
        expose_headers: str | Iterable[str] = (),
        credentials: bool = False,
        max_age: int | None = 600,
        private_network: bool = False,
    ) -> None:
        self.exact: set[str] = set()
        self.patterns: list[re.Pattern[str]] = []
        self.asked: Callable[[str], bool] | None = None
        self.any_origin = False
        if callable(origins):
            self.asked = origins
        else:
            for origin in (origins,) if isinstance(origins, (str, re.Pattern)) else origins:
                self._add(origin)
        if self.any_origin and credentials:
            raise ValueError(
                "credentials=True lets scripts act as the user, so it cannot be given to every"
                " site: list the origins that you trust instead of '*'."
            )
        self.credentials = credentials
        self.private_network = private_network
        allowed, exposed = _names(allow_headers), _names(expose_headers)
        if "*" in exposed and credentials:
            raise ValueError("With credentials=True, expose_headers must name each header.")
        #: The methods as a header has them; ``None`` means whichever is asked for.
        self.methods = None if "*" in (names := _names(methods)) else _joined(names)
        #: The same of request headers.
        self.headers = (
            None if "*" in allowed else _joined(dict.fromkeys((*SAFELISTED_HEADERS, *allowed)))
        )
        #: Whether the answer depends on who asks.
        self.varies = not self.any_origin
        self.fixed: list[RawHeader] = []
        if credentials:
            self.fixed.append((b"access-control-allow-credentials", b"true"))
        self.exposed: list[RawHeader] = []
        if exposed:
            self.exposed.append((b"access-control-expose-headers", _joined(exposed)))
        self.age: list[RawHeader] = []
        if max_age is not None:
            self.age.append((b"access-control-max-age", b"%d" % max_age))

    def _add(self, origin: Origin) -> None:
        if isinstance(origin, re.Pattern):
            self.patterns.append(origin)
        elif origin == "*":
            self.any_origin = True
        elif origin == "null" or _origin(origin.lower()):
            self.exact.add(origin.lower())
        else:
            raise ValueError(
                f"{origin!r} is not an origin. Write scheme, host and, if it is not the usual one,"
                " port, as in 'https://example.com:8443', without a path or slash at the end. For"
                r" several hosts give a pattern: re.compile(r'https://\w+\.example\.com')."
            )

    def allows(self, origin: str) -> bool:
        """Whether scripts of an origin may read responses.

        :param origin: As a browser sends it; ``"null"``, which any site can send, must be listed.
        """
        if self.any_origin or origin in self.exact:
            return True
        if origin == "null":
            return False
        if self.asked is not None:
            return self.asked(origin)
        return any(pattern.fullmatch(origin) for pattern in self.patterns)

    def fields(self, origin: bytes | None) -> list[RawHeader]:
        """What a response says, to who may read it."""
        if self.any_origin:  # whoever asks, so that a cache can give it to everybody
            return [(_ALLOW_ORIGIN, b"*"), *self.fixed, *self.exposed]
        if origin is None or not self.allows(origin.decode("latin-1")):
            return []
        return [(_ALLOW_ORIGIN, origin), *self.fixed, *self.exposed]

    def preflight(self, headers: Iterable[RawHeader]) -> tuple[int, list[RawHeader]]:
        """The answer to a browser that asks before it sends the request itself.

        Which methods and headers are allowed is answered whatever the browser asks for: it
        compares. 403 is for the origin alone.

        :param headers: The request's.
        :return: Status and headers.
        """
        headers = list(headers)
        origin = find_field(headers, b"origin") or b""
        varying = [b"Origin"] if self.varies else []
        if not self.allows(origin.decode("latin-1")):
            return 403, with_vary([(b"content-length", b"0")], *varying)
        answer = [(_ALLOW_ORIGIN, b"*" if self.any_origin else origin), *self.fixed]
        methods, names = self.methods, self.headers
        if methods is None:
            varying.append(b"Access-Control-Request-Method")
            methods = _tokens(find_field(headers, _ASKS_METHOD))
        if names is None:
            varying.append(b"Access-Control-Request-Headers")
            names = _tokens(find_field(headers, _ASKS_HEADERS))
        answer.append((b"access-control-allow-methods", methods))
        if names:
            answer.append((b"access-control-allow-headers", names))
        answer += self.age
        if self.private_network:
            varying.append(b"Access-Control-Request-Private-Network")
            if find_field(headers, _ASKS_NETWORK) == b"true":
                answer.append((b"access-control-allow-private-network", b"true"))
        return 204, with_vary(answer, *varying) if varying else answer

    def decorated(self, headers: Iterable[RawHeader], origin: bytes | None) -> list[RawHeader]:
        """The headers of a response with those of the policy."""
        headers = [*headers, *self.fields(origin)]
        return with_vary(headers, b"Origin") if self.varies else headers


class CORS:
    """Lets scripts of other origins read the application's responses.

    .. code-block:: python

        app.add_middleware(CORS, origins=["https://example.com"])

    Preflight requests are answered. Other responses, errors included, get the headers that let
    the browser show them to the script. A blueprint or route with a policy of its own
    (:func:`cors`), or a view that sets the headers itself, is left alone.

    :param app: The application.
    :param policy: The options of :class:`PolicyOptions`; each has a setting, as ``CORS_ORIGINS``.
    :raises ValueError: if an origin is none, or ``"*"`` is given credentials.
    :source: Fetch Standard, section 3.2. Private Network Access, section 3.
    """

    settings: ClassVar[Mapping[str, str]] = {
        "origins": "CORS_ORIGINS",
        "methods": "CORS_METHODS",
        "allow_headers": "CORS_ALLOW_HEADERS",
        "expose_headers": "CORS_EXPOSE_HEADERS",
        "credentials": "CORS_CREDENTIALS",
        "max_age": "CORS_MAX_AGE",
        "private_network": "CORS_PRIVATE_NETWORK",
    }
    runs_inline: ClassVar[bool] = True

    def __init__(self, app: ASGIApp, **policy: Unpack[PolicyOptions]) -> None:
        self.app = app
        self.policy = Policy(**policy)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add what the policy says to the response."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        policy = self.policy
        received = scope["headers"]
        decided: list[Policy] = scope.setdefault(DECIDED, [])
        if scope["method"] == "OPTIONS" and is_preflight(received):
            return await self.app(scope, receive, _Preflight(policy, received, decided, send).send)

        def send_decorated(message: Message) -> Awaitable[None]:  # no coroutine of its own
            if message["type"] == "http.response.start" and not decided:
                decided.append(policy)
                headers = message.get("headers", ())
                if find_field(headers, _ALLOW_ORIGIN) is None:
                    origin = find_field(received, b"origin")
                    message = {**message, "headers": policy.decorated(headers, origin)}
            return send(message)

        await self.app(scope, receive, send_decorated)


class _Preflight:
    """Sends the policy's answer to a preflight instead of the application's.

    The application is asked first, because it may have a nearer policy.
    """

    def __init__(
        self, policy: Policy, received: Iterable[RawHeader], decided: list[Policy], send: Send
    ) -> None:
        self.policy = policy
        self.received = received
        self.decided = decided
        self._send = send
        self._replaced = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self.decided:
            self.decided.append(self.policy)  # before others see the message
            if find_field(message.get("headers", ()), _ALLOW_ORIGIN) is None:
                self._replaced = True
                status, headers = self.policy.preflight(self.received)
                await self._send({"type": message["type"], "status": status, "headers": headers})
                await self._send({"type": "http.response.body", "body": b""})
        if not self._replaced:
            await self._send(message)


def cors(**options: Unpack[PolicyOptions]) -> Callable[[Request, CallNext], Awaitable[Response]]:
    """The same as :class:`CORS` for a blueprint or a route.

    .. code-block:: python

        blueprint.middleware(cors(origins="https://example.com"))


        @app.get("/fonts", middleware=[cors(origins="*")])
        def fonts(): ...

    The nearest policy decides alone: a route's before its blueprint's, a blueprint's before the
    application's.

    :param options: Those of :class:`PolicyOptions`.
    :return: A function middleware.
    :raises ValueError: as :class:`CORS`.
    """
    policy = Policy(**options)

    async def share(request: Request, call_next: CallNext) -> Response:
        decided: list[Policy] = request.scope.setdefault(DECIDED, [])
        response = await call_next(request)
        if not decided and "Access-Control-Allow-Origin" not in response.headers:
            received = request.scope["headers"]
            if request.method == "OPTIONS" and is_preflight(received):
                status, fields = policy.preflight(received)
                response.close()
                response = Response(status=status)
                response.headers.clear()
            else:
                fields = policy.fields(find_field(received, b"origin"))
                if policy.varies:
                    response.vary.add("Origin")
            for name, value in fields:
                response.headers.add(name.decode("latin-1"), value.decode("latin-1"))
        decided.append(policy)
        return response

    # It awaits nothing but ``call_next``, so that around a ``def`` view it needs no event loop.
    share.runs_inline = True  # type: ignore[attr-defined]
    # The gateway asks the nearest such function of the route that a preflight is about.
    share.answers_preflight = True  # type: ignore[attr-defined]
    return share


def is_preflight(headers: Iterable[RawHeader]) -> bool:
    """Whether an ``OPTIONS`` request is a browser's question; others are for the application."""
    names = {name for name, _ in headers}
    return b"origin" in names and _ASKS_METHOD in names


def _names(value: str | Iterable[str]) -> list[str]:
    """Methods or header names, given one by one or as one text."""
    names = parse_list_header(value) if isinstance(value, str) else list(value)
    for name in names:
        if not is_token(name):
            raise ValueError(f"{name!r} is not the name of a header or method.")
    return names


def _joined(names: Iterable[str]) -> bytes:
    return ", ".join(names).encode("latin-1")


def _tokens(value: bytes | None) -> bytes:
    """What a client asks for, without what could not be a name."""
    return _joined(name for name in parse_list_header((value or b"").decode("latin-1")) if is_token(name))  # fmt: skip
