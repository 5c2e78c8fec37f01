"""The console's words: the same ones in every language, each of them used, and none that is missing."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

from ingest.console.app import STATIC

# Statuses and kinds are the API's own words in English, so that they are found again in the docs and in commands.
OF_THE_API = ("status.", "kind.", "chunk.", "role.", "queue.", "state.")
LITERAL = re.compile(
    r"""(?:say|column|button)\(\s*["`]([^"`$]+)["`]|title: "([^"]+)"|data-(?:label-)?word="([^"]+)\""""
)
TEMPLATE = re.compile(r"`([a-z_.]+\.)\$\{")
IN_BRACES = re.compile(r"\{(\w+)\}")

pytestmark = pytest.mark.quick


@cache
def read_words(language: str) -> dict[str, str]:
    """The table of a language, by key."""
    text = (STATIC / f"words/{language}.js").read_text(encoding="utf-8")
    words: dict[str, str] = json.loads(text.removeprefix("export default ").removesuffix(";\n"))
    return words


@cache
def read_code() -> str:
    """The page and its modules, without the words."""
    files = [*STATIC.glob("*.js"), *STATIC.glob("pages/*.js"), STATIC / "index.html"]
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def list_languages() -> list[str]:
    """Every language there is a table of."""
    return sorted(Path(path).stem for path in STATIC.glob("words/*.js"))


def drop_words_of_the_api(keys: set[str]) -> set[str]:
    """The keys without those whose English is the API's own word."""
    return {key for key in keys if not key.startswith(OF_THE_API)}


def test_every_language_has_the_same_words() -> None:
    """Every language has a text for each key of every other, and no text is empty."""
    assert list_languages() == ["en", "zh"]
    english = drop_words_of_the_api(set(read_words("en")))
    for language in list_languages():
        words = read_words(language)
        assert drop_words_of_the_api(set(words)) == english
        assert all(words.values())


def test_texts_name_the_same_values_in_every_language() -> None:
    """What stands in braces in one language stands in braces in the other."""
    for key, text in read_words("en").items():
        for language in list_languages():
            other = read_words(language)[key]
            assert set(IN_BRACES.findall(other)) == set(IN_BRACES.findall(text)), (language, key)


def test_every_word_that_is_said_exists() -> None:
    """Each key that the page or a module names has a text."""
    named = {key for found in LITERAL.findall(read_code()) for key in found if key}
    assert len(named) > 50
    assert named <= set(read_words("en"))


def test_every_word_is_said() -> None:
    """No text is left of what the console no longer says."""
    code = read_code()
    prefixes = tuple(TEMPLATE.findall(code)) + OF_THE_API
    unused = {
        key for key in read_words("en") if f'"{key}"' not in code and not key.startswith(prefixes)
    }
    assert unused == set()
