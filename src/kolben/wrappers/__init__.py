"""One message: the request that came in, the response that goes out."""

from __future__ import annotations

from .body import FileBody
from .forms import Limits
from .request import Request
from .response import Response

__all__ = ["FileBody", "Limits", "Request", "Response"]
