"""`carillon settings`: every variable, what it is now and what it means."""

import click

from ops.cli import read_environment
from ops.cli.terminal.printing import say
from ops.known_settings import list_settings
from ops.settings_page import render_settings_page


@click.command()
@click.option("--markdown", "as_markdown", is_flag=True, help="The page docs/settings.md.")
def settings(*, as_markdown: bool) -> None:
    """List every setting: name, value in force (secrets are not shown), meaning."""
    if as_markdown:
        say(render_settings_page(), nl=False)
        return
    environ = read_environment()
    for setting in list_settings():
        value = environ.get(setting.name, "")
        if value and setting.is_secret:
            value = "(set)"
        say(f"{setting.name}={value or setting.default}")
        say(f"    {setting.text}")
