"""`carillon keys`: replace the secrets of a data folder, one by one, and seal apps' secrets with a new key."""

from collections.abc import Mapping
from pathlib import Path

import click

from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import say
from ops.local.stack import SECRETS, keep_secrets, write_secrets
from ops.local.stack_lock import hold_stack_lock
from storage.keys.vault import Vault, VaultSettings
from storage.model.errors import InConflict, NotFound
from storage.postgres.people.app_secrets_resealing import Resealed, reseal_all
from storage.settings import DataFolder, load

# What operators call the secrets that a data folder makes, and what happens when one is replaced.
NAMES = {
    "vault": "CARILLON_SECRETS_KEY",
    "token": "CARILLON_JWT_SECRET",
    "media": "CARILLON_MEDIA_KEY",
    "console": "CARILLON_CONSOLE_TOKEN",
}
CONSEQUENCES = {
    "vault": "The old key still opens what it sealed. Restart, then: carillon keys reseal; carillon keys retire.",
    "token": "Restart: every token is invalid then, and people sign in again.",
    "media": "Restart: every URL of an uploaded file is invalid then; clients get new ones when they read.",
    "console": "Restart: operators sign in with the new token (carillon console).",
    "passwords": "Start: the embedded servers take new passwords.",
}
_PASSWORDS = (
    *("postgres/password", "postgres/owner.password", "postgres/application.password"),
    "valkey/password",
)


@click.group()
def keys() -> None:
    """Keys and passwords of a data folder. What is set in the environment is replaced there."""


@keys.command("rotate")
@click.argument("name", type=click.Choice(list(CONSEQUENCES)))
def rotate(*, name: str) -> None:
    """Make a new one. It counts from the next start on; the stack may run meanwhile, but for passwords it must not."""
    environ = read_environment()
    folder = load(DataFolder, environ).path.resolve()
    if not (folder / "secrets.json").is_file():
        raise NotFound(f"{folder} is no data folder of a stack.")
    if name == "passwords":
        # A server that was started again in a running stack would have another password than the processes know.
        with hold_stack_lock(folder):
            for file in _PASSWORDS:
                (folder / file).unlink(missing_ok=True)
    else:
        _replace(folder, name, environ)
    say(CONSEQUENCES[name])


def _replace(folder: Path, name: str, environ: Mapping[str, str]) -> None:
    variable = NAMES[name]
    known = keep_secrets(folder)
    if environ.get(variable, known[variable]) != known[variable]:
        raise InConflict(
            f"The stack runs with another {variable}: it is set in the environment (replace it there), or the "
            "last new one does not count yet (restart first)."
        )
    made = SECRETS[variable]()
    # The first key seals, any opens.
    write_secrets(
        folder, known | {variable: f"{made},{known[variable]}" if name == "vault" else made}
    )


@keys.command("reseal")
def reseal() -> None:
    """Seal the secrets of all apps with the first key of CARILLON_SECRETS_KEY.

    Restart every process with both keys before: one that knows only the old key opens nothing of the new one. Safe to
    repeat.
    """
    _say_resealed(_reseal(read_environment()))


@keys.command("retire")
def retire() -> None:
    """Drop the older keys of the data folder's vault, once nothing needs them. It counts from the next start on."""
    environ = read_environment()
    folder = load(DataFolder, environ).path.resolve()
    known = keep_secrets(folder)
    current, _, older = known[NAMES["vault"]].partition(",")
    if not older:
        say("There is no older key.")
        return
    if environ.get(NAMES["vault"]) != known[NAMES["vault"]]:
        raise InConflict("The stack does not run with the new key yet: restart it first.")
    done = _reseal(environ)
    if done.unopened:
        raise InConflict(f"{done.unopened} secrets are opened by no key: nothing was dropped.")
    write_secrets(folder, known | {NAMES["vault"]: current})
    say("The older keys are dropped. Restart.")


def _reseal(environ: Mapping[str, str]) -> Resealed:
    vault = Vault(load(VaultSettings, environ))
    with open_database() as record:
        return record.transaction(reseal_all, find_actor(), vault=vault)


def _say_resealed(done: Resealed) -> None:
    say(f"{done.renewed:,} secrets sealed anew, {done.current:,} had the first key already.")
    if done.unopened:
        say(f"{done.unopened:,} are opened by no key: carillon app rotate-secret.", err=True)
