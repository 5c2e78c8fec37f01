"""`carillon console`: where the operator's web console is, and what to sign in with."""

import click

from ingest.settings import IngestSettings
from ops.cli import read_environment
from ops.cli.terminal.printing import say
from ops.local.settings import UpSettings
from storage.model.errors import NotFound
from storage.settings import load


@click.command()
@click.option("--token", "only_token", is_flag=True, help="Print the token and nothing else.")
def console(*, only_token: bool) -> None:
    """Print the console's address and the operator's token. Who has the token is an admin."""
    environ = read_environment()
    settings, where = load(IngestSettings, environ), load(UpSettings, environ)
    token = settings.console_token
    if not settings.has_console or (only_token and not token):
        raise NotFound(
            "There is no console, or none with a token: CARILLON_CONSOLE_TOKEN is not set."
        )
    if not only_token:
        say(f"{where.public_url or where.local_url}/console", err=True)
    if token:
        say(token)
    else:
        say("There is no token; operators sign in by name: carillon operator list", err=True)
