"""`carillon token`: tokens for trying things out, for tests and load generators."""

import time

import click

from ops.cli import read_environment
from ops.cli.terminal.printing import say
from storage.keys.tokens import TokenSettings, issue_token
from storage.settings import load


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("user_ids", metavar="USER_ID...", nargs=-1, required=True, type=click.IntRange(1))
@click.option(
    "--ttl",
    metavar="SECONDS",
    type=float,
    default=3600.0,
    show_default=True,
    help="How long the tokens are valid; negative: expired already.",
)
def token(user_ids: tuple[int, ...], ttl: float) -> None:
    """Print one token (JWT) a line, in the order of the ids, and nothing else.

    Whether such users exist is not looked up.
    """
    settings = load(TokenSettings, read_environment())
    now = time.time()
    tokens = [issue_token(settings, user_id, ttl_seconds=ttl, now=now) for user_id in user_ids]
    say("\n".join(tokens))
