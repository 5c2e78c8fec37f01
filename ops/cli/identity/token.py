"""`carillon token`: tokens for trying things out, for tests and load generators; and why one is accepted or not."""

import time

import click

from ops.cli import read_environment
from ops.cli.terminal.printing import say
from storage.keys.tokens import TokenSettings, issue_token
from storage.settings import load


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("user_ids", metavar="[USER_ID]...", nargs=-1, type=click.IntRange(1))
@click.option(
    "--ttl",
    metavar="SECONDS",
    type=float,
    default=3600.0,
    show_default=True,
    help="How long the tokens are valid; negative: expired already.",
)
@click.option(
    "--check",
    metavar="TOKEN",
    help="Issue none: say whether this one is accepted, and if not, why. `-` reads it from stdin.",
)
@click.option("--json", "as_json", is_flag=True, help="With --check: print JSON.")
def token(*, user_ids: tuple[int, ...], ttl: float, check: str | None, as_json: bool) -> None:
    """Print one token (JWT) a line, in the order of the ids, and nothing else.

    Whether such users exist is not looked up. With --check: whether a token is accepted, what it says, and every reason
    why it is not; exit code 1 if it is not.
    """
    if (check is None) == (not user_ids):
        raise click.UsageError("Give the ids of users, or --check TOKEN.")
    if check is not None:
        from ops.cli.identity import token_check  # noqa: PLC0415 (issuing must not load a database driver)

        token_check.check_token(check, as_json=as_json)
        return
    settings = load(TokenSettings, read_environment())
    now = time.time()
    tokens = [issue_token(settings, user_id, ttl_seconds=ttl, now=now) for user_id in user_ids]
    say("\n".join(tokens))
