"""What the demo's people answer."""

from itertools import pairwise

import pytest

from ops.cli.demo.answers import choose_answer

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ("你好", "你好呀 👋"),
        ("Hello!", "Hello 👋"),
        ("谢谢你", "不客气 🙂"),
        ("Thank you so much", "You're welcome 🙂"),
        ("周三的会几点开?", "好问题,我查一下马上回你。"),
        ("When is the meeting?", "Good question, let me check."),
        ("会议改到四点了", "好的,收到。"),
        ("The meeting is at four now", "Got it."),
        ("", "Got it."),
    ],
)
def test_the_answer_fits(content: str, answer: str) -> None:
    """Greetings, thanks, questions and all else have answers of their own, in the language of what was written."""
    assert choose_answer(content, content_type="TEXT", number=0) == answer


def test_files_and_pictures_are_not_read() -> None:
    """To a picture and to a file the answer is about that, whatever their address says."""
    assert choose_answer("https://m/x?", content_type="IMAGE", number=1) == "What a picture 😍"
    assert choose_answer("https://m/x?", content_type="FILE", number=0) == "收到,我看一下。"


def test_answers_differ() -> None:
    """Two answers in a row to the same kind of message are not the same, and there always is one."""
    said = [choose_answer("ok", content_type="TEXT", number=number) for number in range(9)]
    assert all(one != other for one, other in pairwise(said))
