"""``kolben routes``: a table of the rules of an application."""

from __future__ import annotations

from typing import Any

import click

from ..commands import with_appcontext
from ..globals import current_app


@click.command("routes", short_help="Show the routes for the app.")
@click.option(
    "--sort",
    "-s",
    type=click.Choice(("endpoint", "methods", "domain", "rule", "match")),
    default="endpoint",
    help=(
        "Method to sort routes by. 'match' is the order that Kolben will match routes when"
        " dispatching a request."
    ),
)
@click.option("--all-methods", is_flag=True, help="Show HEAD and OPTIONS methods.")
@with_appcontext
def routes_command(sort: str, all_methods: bool) -> None:
    """Show all registered routes with endpoints and methods."""
    url_map = current_app.url_map
    rules = list(url_map.iter_rules())
    if not rules:
        click.echo("No routes were registered.")
        return
    hidden = frozenset() if all_methods else frozenset({"HEAD", "OPTIONS"})
    domains = [(rule.host if url_map.host_matching else rule.subdomain) or "" for rule in rules]
    columns: dict[str, list[str]] = {
        "endpoint": ["Endpoint", *(rule.endpoint for rule in rules)],
        "methods": [
            "Methods",
            *(", ".join(sorted((rule.methods or frozenset()) - hidden)) for rule in rules),
        ],
    }
    if any(domains):
        columns["domain"] = ["Host" if url_map.host_matching else "Subdomain", *domains]
    columns["rule"] = ["Rule", *(rule.rule for rule in rules)]
    _print_table(columns, sort)


def _print_table(columns: dict[str, list[str]], sort: str) -> None:
    head, *rows = zip(*columns.values(), strict=True)
    if sort in columns:
        place = list(columns).index(sort)
        rows.sort(key=lambda row: row[place])
    widths = [max(map(len, column)) for column in columns.values()]
    lines: list[Any] = [head, ["-" * width for width in widths], *rows]
    for line in lines:
        click.echo("  ".join(map(str.ljust, line, widths)).rstrip())
