"""`carillon settings`: every variable, what it is now and what it means."""

import click

from ops.cli import environment
from ops.cli.terminal.printing import say
from ops.known_settings import known
from ops.settings_page import settings_page


@click.command()
@click.option("--markdown", "as_markdown", is_flag=True, help="The page docs/settings.md.")
def settings(*, as_markdown: bool) -> None:
    """List every setting: name, value in force (secrets are not shown), meaning."""
    if as_markdown:
        say(settings_page(), nl=False)
        return
    environ = environment()
    for setting in known():
        value = environ.get(setting.name, "")
        if value and setting.is_secret:
            value = "(set)"
        say(f"{setting.name}={value or setting.default}")
        say(f"    {setting.text}")
