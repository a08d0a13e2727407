"""Commands of an application and of a blueprint."""

import click

from kolben import Blueprint, Kolben, current_app
from kolben.cli import with_appcontext

app = Kolben(__name__)
users = Blueprint("users", __name__)


# [command]
@app.cli.command("greet")
@click.argument("name")
def greet(name):
    """Greet somebody."""
    click.echo(f"Hello, {name}, from {current_app.name}!")


@users.cli.command("create")
@click.argument("name")
@with_appcontext
async def create(name):
    """Create a user."""
    click.echo(f"created {name}")


app.register_blueprint(users)
# [/command]
