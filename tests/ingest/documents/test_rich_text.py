"""Descriptions as HTML: the little Markdown that they have, and nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.documents.rich_text import render_blocks, render_inline

pytestmark = [pytest.mark.quick, pytest.mark.pure]


def test_what_descriptions_have_is_shown() -> None:
    """Paragraphs, lists whose items go on in the next line, code and bold words become HTML."""
    text = "One `a < b`\nline.\n\n- **First** thing,\n  which goes on\n- `second`"
    assert render_blocks(text) == (
        "<p>One <code>a &lt; b</code> line.</p>"
        "<ul><li><strong>First</strong> thing, which goes on</li><li><code>second</code></li></ul>"
    )


@given(st.text("<>&\"'`*a- \n", max_size=40))
def test_no_text_becomes_other_html(text: str) -> None:
    """Whatever stands in a description, no tag comes out but those of paragraphs, lists, code and bold words."""
    ours = re.compile(r"</?(p|ul|li|code|strong)>")
    for html in (render_inline(text), render_blocks(text)):
        rest = ours.sub("", html)
        assert "<" not in rest
        assert '"' not in rest
