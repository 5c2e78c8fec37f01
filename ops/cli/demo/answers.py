"""What the demo's people answer to what somebody writes to them. Pure."""

import re

_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_QUESTION = re.compile(r"[??]|吗|呢|\b(when|where|who|why|how|what)\b", re.IGNORECASE)
_GREETING = re.compile(r"^\W*(hi|hello|hey|morning|你好|您好|早|在吗|嗨)", re.IGNORECASE)
_THANKS = re.compile(r"thank|cheers|谢|感谢", re.IGNORECASE)

_TO_PICTURE = ("拍得真好!", "What a picture 😍")
_TO_FILE = ("收到,我看一下。", "Got it, I'll have a look.")
_TO_GREETING = ("你好呀 👋", "Hello 👋")
_TO_THANKS = ("不客气 🙂", "You're welcome 🙂")
_TO_QUESTION = (
    ("好问题,我查一下马上回你。", "应该可以,下午给你准信。", "周四之前没问题。"),
    ("Good question, let me check.", "I think so. I'll know more this afternoon.", "By Thursday, I'd say."),
)  # fmt: skip
_TO_ANYTHING = (
    ("好的,收到。", "没问题 👌", "明白了,我来安排。", "哈哈,可以。"),
    ("Got it.", "Sounds good 👌", "All right, I'll take care of it.", "Ha, fine with me."),
)


def choose_answer(content: str, *, content_type: str, number: int) -> str:
    """An answer in the language of `content`; the `number` of answers given so far lets them differ."""
    if content_type == "IMAGE":
        return _TO_PICTURE[number % 2]
    if content_type != "TEXT":
        return _TO_FILE[number % 2]
    language = 0 if _CHINESE.search(content) else 1
    if _THANKS.search(content):
        return _TO_THANKS[language]
    if _GREETING.search(content) and len(content) < 20:  # noqa: PLR2004 (a greeting and nothing else)
        return _TO_GREETING[language]
    answers = _TO_QUESTION if _QUESTION.search(content) else _TO_ANYTHING
    return answers[language][number % len(answers[language])]
