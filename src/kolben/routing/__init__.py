"""URL routing: rules in, the rule for a path out, and URLs built back from it.

A :class:`Map` holds the :class:`Rule` objects. Bound to a request it is a :class:`MapAdapter`, which
matches paths and builds URLs; the gateway, which has no time, calls :attr:`Map.match` itself.
"""

from __future__ import annotations

from ..exceptions import RequestRedirect as RequestRedirect
from .adapter import MapAdapter as MapAdapter
from .converters import AnyConverter as AnyConverter
from .converters import BaseConverter as BaseConverter
from .converters import FloatConverter as FloatConverter
from .converters import IntegerConverter as IntegerConverter
from .converters import NumberConverter as NumberConverter
from .converters import PathConverter as PathConverter
from .converters import UnicodeConverter as UnicodeConverter
from .converters import UUIDConverter as UUIDConverter
from .converters import ValidationError as ValidationError
from .errors import BuildError as BuildError
from .errors import Redirection as Redirection
from .errors import RoutingException as RoutingException
from .errors import WebsocketMismatch as WebsocketMismatch
from .factories import EndpointPrefix as EndpointPrefix
from .factories import RuleTemplate as RuleTemplate
from .factories import RuleTemplateFactory as RuleTemplateFactory
from .factories import Subdomain as Subdomain
from .factories import Submount as Submount
from .map import Map as Map
from .paths import route_path as route_path
from .rule import Rule as Rule
from .rule import RuleFactory as RuleFactory
from .syntax import parse_converter_args as parse_converter_args
