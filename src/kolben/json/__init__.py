"""JSON as the active application writes and reads it."""

from __future__ import annotations

from .current import dump, dumps, jsonify, load, loads
from .provider import DefaultJSONProvider, JSONProvider
from .tag import TaggedJSONSerializer

__all__ = [
    "DefaultJSONProvider",
    "JSONProvider",
    "TaggedJSONSerializer",
    "dump",
    "dumps",
    "jsonify",
    "load",
    "loads",
]
