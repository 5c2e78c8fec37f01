r"""What commands print, as plain text: the one way to the terminal.

People type names, titles and errors. In a terminal such text could move the cursor, change colours or
answer for the operator (escape sequences), show itself backwards (text-direction marks), and rich would
take `[red]` for an instruction. Here it is text, and what would not be seen is shown as `\x1b`.

Every command imports it, so it imports rich only when that is needed: `carillon token` must be quick.
"""

import json
import unicodedata
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console  # noqa: TID251 (the one place)

# Lines and columns of our own, and two invisible characters that only join others: names and emojis need them.
_HARMLESS = frozenset("\n\t\u200c\u200d")


def make_plain(text: object) -> str:
    r"""`text` in which every character that a terminal would obey, or not show, is written out: `\x1b`, `\u202e`."""
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(c if _is_harmless(c) else c.encode("unicode_escape").decode() for c in shown)


def say(text: object, *, err: bool = False, nl: bool = True) -> None:
    """Print `text` as plain text, on stdout, or on stderr if `err`; `nl` False: without a line break after it."""
    click.echo(make_plain(text), err=err, nl=nl)  # noqa: TID251 (the one place)


def say_json(value: Any) -> None:
    """Print `value` as JSON, on stdout. It reads back as it was; what a terminal would obey is escaped in it."""
    text = json.dumps(value, ensure_ascii=False, indent=2)
    say("".join(c if _is_harmless(c) else json.dumps(c)[1:-1] for c in text))


def make_console(*, err: bool = False, soft_wrap: bool = False) -> "Console":
    """A console of rich that takes every string, in tables too, for plain text and not for markup."""
    from rich.console import Console  # noqa: PLC0415, TID251 (the one place)
    from rich.text import Text  # noqa: PLC0415

    class _PlainConsole(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(make_plain(text), **options)

    return _PlainConsole(
        stderr=err, markup=False, emoji=False, highlight=False, soft_wrap=soft_wrap
    )


def _is_harmless(character: str) -> bool:
    # isprintable() is false of every space but the ASCII one.
    return (
        character.isprintable() or character in _HARMLESS or unicodedata.category(character) == "Zs"
    )
