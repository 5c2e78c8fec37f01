"""The operator's command, `carillon`.

One module a command, imported when it is called: `carillon token` must not load a database driver. So nothing that is
slow to import may be imported here. A command gets its settings from `read_environment()` and lets our errors through:
`main` turns them into one sentence on stderr and exit code 1.
"""

import contextlib
import importlib
import os
from typing import Any

import click

from ops.cli.terminal.printing import make_plain
from ops.local.settings import UpSettings
from ops.local.stack_lock import read_running_environment
from storage.model.errors import CarillonError, InvalidSettings, NotAllowed
from storage.settings import DataFolder, load

# command → (module, attribute, what `carillon --help` says). A new command is one line here.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("ops.cli.up", "up", "Start everything on this machine, in the foreground."),
    "db": ("ops.cli.db", "db", "The database's schema."),
    "token": ("ops.cli.identity.token", "token", "Print a token for each user; check one."),
    "sign": (
        "ops.cli.identity.sign",
        "sign",
        "Print the headers of an app's call, and curl lines.",
    ),
    "user": ("ops.cli.user", "user", "People: import, show, disable, enable, export, erase."),
    "app": ("ops.cli.apps.command", "app", "Business apps: add, list, rotate a secret, disable."),
    "mapping": ("ops.cli.mapping", "mapping", "Import the accounts that people have in an app."),
    "send": ("ops.cli.send", "send", "Send a message or a notification to one person."),
    "broadcast": ("ops.cli.broadcast", "broadcast", "Send a notification to everyone."),
    "callbacks": (
        "ops.cli.callbacks",
        "callbacks",
        "Apps' endpoints: look, try, resume, tell again.",
    ),
    "broadcasts": ("ops.cli.broadcasts", "broadcasts", "Look at broadcasts, stop, take back."),
    "cards": ("ops.cli.cards", "cards", "Look at a card that an app has sent, change it."),
    "message": ("ops.cli.message", "message", "Look at one message, take it back."),
    "demo": (
        "ops.cli.demo.command",
        "demo",
        "Three people, an app, and messages arriving on a socket.",
    ),
    "pause": ("ops.cli.pauses", "pause", "Pause a queue, or everything of an app."),
    "resume": ("ops.cli.pauses", "resume", "End such a pause."),
    "pauses": ("ops.cli.pauses", "pauses", "What is paused, since when, by whom, until when."),
    "backup": ("ops.cli.backup.backup", "backup", "Everything in one file, while it serves."),
    "restore": ("ops.cli.backup.restore", "restore", "A backup into an empty data folder."),
    "keys": ("ops.cli.keys.command", "keys", "Replace keys and passwords of a data folder."),
    "failed": (
        "ops.cli.failed",
        "failed",
        "Sends that could not be delivered: look, replay, drop.",
    ),
    "unpublished": (
        "ops.cli.unpublished",
        "unpublished",
        "Events that cannot be published: look, try again.",
    ),
    "top": ("ops.cli.top", "top", "Watch queues, broadcasts and sockets live."),
    "console": ("ops.cli.console", "console", "Where the console is, and the token to sign in."),
    "operator": (
        "ops.cli.operators.command",
        "operator",
        "Who may sign in to the console, and in which role.",
    ),
    "audit": ("ops.cli.operators.audit", "audit", "What operators and commands did."),
    "doctor": ("ops.cli.doctor", "doctor", "Is everything well? What is not, and how to mend it."),
    "settings": ("ops.cli.settings", "settings", "Every setting, its value and its meaning."),
}


def read_environment() -> dict[str, str]:
    """The settings of a command: those of the running stack, and over them the variables that are set for this process."""
    own = {name: text for name, text in os.environ.items() if text}
    return read_running_environment(load(DataFolder, own).path) | own


def find_gateway_url() -> str | None:
    """The URL of the running stack's push gateway, which is one process with REST then; None if no stack runs."""
    up = read_running_environment(load(DataFolder, read_environment()).path)
    return load(UpSettings, up).local_url if up else None


def _is_alone() -> bool:
    """Whether no stack runs on our data folder. That another user's may run there is said by what needs it."""
    with contextlib.suppress(NotAllowed):
        return not read_running_environment(load(DataFolder, os.environ).path)
    return False


class Commands(click.Group):
    """A group of commands that are imported when they are called, and whose errors are shown as sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The name of every command, in the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of this name, imported now; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list in `--help` from COMMANDS: no command is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. An error of ours becomes a sentence on stderr and exit code 1."""
        try:
            return super().invoke(ctx)
        except InvalidSettings as error:
            hint = "No stack runs on this data folder: start it with `make run`, or set variables."
            raise click.ClickException(
                make_plain(f"{error.detail}\n{hint}" if _is_alone() else error.detail)
            ) from error
        except CarillonError as error:
            raise click.ClickException(make_plain(error.detail)) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="carillon")
def main() -> None:
    """Carillon, a message centre: start it, feed it, look into it.

    Settings are environment variables (CARILLON_…). Commands find a running `carillon up` through its
    data folder, CARILLON_DATA_DIR (.carillon by default).
    """
