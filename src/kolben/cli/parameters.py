"""Types of command line parameters."""

from __future__ import annotations

import ssl
from importlib import import_module, util
from typing import Any

import click


class CertParamType(click.ParamType):  # type: ignore[type-arg]  # generic in newer clicks
    """The value of ``--cert``: a file, the word ``adhoc``, or an import path.

    ``adhoc`` makes a certificate that no browser trusts, with the library *cryptography*. An
    import path names an :class:`ssl.SSLContext`, for example ``shop.tls:context``.

    :source: Flask: the same.
    """

    name = "path"
    path_type = click.Path(exists=True, dir_okay=False, resolve_path=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Find out which of the three it is."""
        if isinstance(value, ssl.SSLContext):
            return value
        try:
            return self.path_type(value, param, ctx)
        except click.BadParameter:
            if value.lower() == "adhoc":
                if util.find_spec("cryptography") is None:
                    raise click.BadParameter(
                        "Using ad-hoc certificates requires the cryptography library.", ctx, param
                    ) from None
                return "adhoc"
            found = _import_object(value)
            if isinstance(found, ssl.SSLContext):
                return found
            raise


class SeparatedPathType(click.Path):
    """Paths with the system's path separator between them: ``:``, or ``;`` on Windows.

    :source: Flask: the same.
    """

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Split the value, and check each path."""
        items = value if isinstance(value, (list, tuple)) else self.split_envvar_value(value)
        return [super(SeparatedPathType, self).convert(item, param, ctx) for item in items]


def validate_key(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Put ``--key`` together with ``--cert``, whose value becomes a pair.

    :raises click.BadParameter: if one of them makes no sense with the other.
    """
    cert = ctx.params.get("cert")
    is_file = isinstance(cert, str) and cert != "adhoc"
    if value is None:
        if is_file:
            raise click.BadParameter('Required when using "--cert".', ctx, param)
        return None
    if cert is None:
        raise click.BadParameter('"--cert" must also be specified.', ctx, param)
    if not is_file:
        what = '"adhoc"' if cert == "adhoc" else "an SSLContext object"
        raise click.BadParameter(f'When "--cert" is {what}, "--key" is not used.', ctx, param)
    ctx.params["cert"] = (cert, value)
    return value


def _import_object(path: str) -> Any:
    module, _, name = path.replace(":", ".").rpartition(".")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return None
