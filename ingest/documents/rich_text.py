"""The little Markdown that descriptions have, as HTML: paragraphs, lists, `code` and **bold**. Pure.

Everything else is text: what stands in it cannot become HTML.
"""

import re
from collections.abc import Iterator
from html import escape

_CODE = re.compile(r"`([^`]+)`")
_BOLD = re.compile(r"\*\*([^*]+)\*\*")


def render_inline(text: str) -> str:
    """One line of text, with its code and its bold words."""
    html = _CODE.sub(r"<code>\1</code>", escape(text))
    return _BOLD.sub(r"<strong>\1</strong>", html)


def render_blocks(text: str) -> str:
    """Paragraphs and lists; a list is a block whose lines begin with `- `, or go on with spaces."""
    return "".join(_render_block(block) for block in text.strip().split("\n\n"))


def _render_block(block: str) -> str:
    if not block.startswith("- "):
        return f"<p>{render_inline(' '.join(block.split()))}</p>"
    items = (f"<li>{render_inline(item)}</li>" for item in _split_items(block))
    return f"<ul>{''.join(items)}</ul>"


def _split_items(block: str) -> Iterator[str]:
    for item in re.split(r"^- ", block, flags=re.MULTILINE)[1:]:
        yield " ".join(item.split())
