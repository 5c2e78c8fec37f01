"""`carillon demo --open` as its user sees it: the committed inbox in Chromium, on a running stack."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ingest.inbox.demo_people import LIN, MEI
from ops.cli.demo import command
from ops.cli.demo.company import FANG
from ops.local.polling import wait_until
from tests.browser import Page, chromium, needs_chromium
from tests.ingest.inbox.test_inbox_browser import NOTE_TROUBLE
from tests.ops.cli.command import carillon

pytestmark = needs_chromium

# Looks through every shadow root of the page.
DEEP = """
function list(selector, root = document) {
  const inner = [...root.querySelectorAll("*")].filter((one) => one.shadowRoot);
  return [...root.querySelectorAll(selector), ...inner.flatMap((one) => list(selector, one.shadowRoot))];
}
function has(text, root = document.body) {
  return list("*", root).some((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.includes(text)));
}
"""
WRITE = """
{
  const [field] = list("textarea");
  field.value = "三点的会还开吗?";
  field.dispatchEvent(new InputEvent("input", { bubbles: true, composed: true }));
}
"""


def test_the_example_is_seen_and_answers(
    environ: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opened: list[str],
) -> None:
    """The page signs Mei in and shows her conversations; a picture loads, a colleague answers live, a button signs on."""

    def look() -> None:
        with chromium(tmp_path) as page:
            page.prepare(NOTE_TROUBLE + DEEP)
            page.resize(1200, 800)
            page.go(opened[0])
            page.does("has('陈伟') && has('审批 Approvals')", seconds=40)
            look_at_picture(page)
            look_at_answer(page)
            assert page.value("trouble") == []
            press_button(page)

    monkeypatch.setattr(command, "_wait_for_interrupt", look)
    result = carillon(environ, "demo", "--open")
    assert result.exit_code == 0, (result.output, result.exception)
    assert f"?demo={MEI.id}" in opened[0]


def look_at_picture(page: Page) -> None:
    """A picture of the conversation with Lin is loaded from the media store."""
    page.run(f"location.hash = '#/{LIN.id}'")
    page.does("list('img').some((one) => one.naturalWidth === 720)", seconds=40)


def look_at_answer(page: Page) -> None:
    """What is written to Fang is answered, and the answer comes by itself."""
    page.run(f"location.hash = '#/{FANG.id}'")
    page.does("has('预算草案 2027.pdf')", seconds=40)
    page.run(WRITE)
    page.does("list('button.send.ready').length === 1")
    page.run("list('button.send')[0].click()")
    page.does("has('好问题,我查一下马上回你。')", seconds=40)


def press_button(page: Page) -> None:
    """The button of a notice ends at the demo's app, in a tab of its own or in this one."""
    page.run("list('*').find((one) => one.textContent.trim() === '审批 Approvals').click()")
    page.does("list('button.act').length > 0", seconds=40)
    page.run("list('button.act').at(-1).click()")

    def is_there() -> bool:
        found = page._call("Target.getTargets")["targetInfos"]
        return any("/callback/demo_approvals" in one["url"] for one in found)

    assert wait_until(is_there, seconds=40)
