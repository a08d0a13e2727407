"""The values of header fields, forms and cookies as objects.

They hold what a message says and know how to write it; reading is done by the parsers in
:mod:`kolben.http.headers` and its neighbours.
"""

from __future__ import annotations

from .accept import Accept, CharsetAccept, LanguageAccept, MIMEAccept
from .agent import UserAgent
from .auth import Authorization, WWWAuthenticate
from .combined import CombinedMultiDict
from .control import (
    CacheControl,
    ContentSecurityPolicy,
    RequestCacheControl,
    ResponseCacheControl,
    cache_control_property,
    csp_property,
)
from .files import FileMultiDict, FileStorage
from .headers import Headers
from .immutable import ImmutableDict, ImmutableList
from .multidict import (
    ImmutableMultiDict,
    ImmutableTypeConversionDict,
    MultiDict,
    TypeConversionDict,
    iter_multi_items,
)
from .observed import CallbackDict
from .ranges import ContentRange, IfRange, Range
from .sets import ETags, HeaderSet

__all__ = [
    "Accept",
    "Authorization",
    "CacheControl",
    "CallbackDict",
    "CharsetAccept",
    "CombinedMultiDict",
    "ContentRange",
    "ContentSecurityPolicy",
    "ETags",
    "FileMultiDict",
    "FileStorage",
    "HeaderSet",
    "Headers",
    "IfRange",
    "ImmutableDict",
    "ImmutableList",
    "ImmutableMultiDict",
    "ImmutableTypeConversionDict",
    "LanguageAccept",
    "MIMEAccept",
    "MultiDict",
    "Range",
    "RequestCacheControl",
    "ResponseCacheControl",
    "TypeConversionDict",
    "UserAgent",
    "WWWAuthenticate",
    "cache_control_property",
    "csp_property",
    "iter_multi_items",
]
