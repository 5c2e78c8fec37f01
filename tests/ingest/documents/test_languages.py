"""The words of the pages: both languages are whole, and a reader gets the one that they want."""

import re
from pathlib import Path

import pytest

from ingest.documents import pages, socket_page
from ingest.documents.languages import CHINESE, ENGLISH, WORDS, choose_language

pytestmark = pytest.mark.quick


def test_both_languages_have_every_word() -> None:
    """English and Chinese have the same keys, no text is empty, and Chinese text is Chinese unless it is a name."""
    assert WORDS[ENGLISH].keys() == WORDS[CHINESE].keys()
    for words in WORDS.values():
        assert all(words.values())
    names = {"rest", "socket", "other"}
    for key, text in WORDS[CHINESE].items():
        assert key in names or re.search("[一-鿿]", text), key


def test_every_word_is_used() -> None:
    """A word that no page and no template names is dead."""
    folder = Path(pages.__file__).parent
    used = "".join(path.read_text() for path in [*folder.glob("templates/*"), folder / "pages.py"])
    used += Path(socket_page.__file__).read_text()
    assert {key for key in WORDS[ENGLISH] if not re.search(rf"[\"'${{]{key}\b", used)} == set()


@pytest.mark.parametrize(
    ("asked", "accepted", "language"),
    [
        ("", b"", ENGLISH),
        ("", b"zh-CN,zh;q=0.9,en;q=0.8", CHINESE),
        ("", b"en;q=0.8, zh-Hans;q=0.9", CHINESE),
        ("", b"fr, zh;q=0.1", CHINESE),
        ("", b"zh;q=0, en;q=0.1", ENGLISH),
        ("", b"fr, *", ENGLISH),
        ("", b"\xff\x00, ;;q=, zh;q=9", ENGLISH),
        ("", b"," * 100_000 + b"zh", ENGLISH),
        ("zh", b"en", CHINESE),
        ("en", b"zh", ENGLISH),
        ("fr", b"zh", CHINESE),
    ],
)
def test_the_language_is_the_one_wanted(asked: str, accepted: bytes, language: str) -> None:
    """What the reader asked for comes first, then the browser's order of preference; nonsense is English."""
    assert choose_language(asked, accepted) == language
