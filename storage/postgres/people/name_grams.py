"""Grams of names: their substrings of one and of two characters, as numbers, for an index that finds names by them.

Used by `directory.py` and `people_import.py` (docs/decisions/0024-search-by-grams.md). Characters are UTF-16 units, so
that two of them fit PostgreSQL's integer, shifted to be signed. A pair that begins with U+8000 has the same number as
its second character alone: a name with the pair has that character too, but not the other way round.
"""

import string
from collections.abc import Iterable
from itertools import pairwise
from operator import add
from struct import unpack

# Characters that alone are in nearly everyone's mobile or English name: an index of them would be large and of no help.
EVERYWHERE = frozenset(map(ord, string.digits + string.ascii_lowercase))
# Separators between the texts of a person, and between people, while many are processed as one string.
_NEXT_TEXT, _NEXT_PERSON = "\x1f", "\x1e"
_BETWEEN = frozenset({_NEXT_TEXT, _NEXT_PERSON})
_LAST_UNIT = "\uffff"  # a character after it takes two units
_AMBIGUOUS_FIRST = 0x8000  # a pair that begins with it has the number of a single character
_PAIR_UNITS = 2
_PAIRS_KEPT = 300_000  # bounds the memory of an import


def fold(text: str) -> str:
    """`text` in lower case, exactly as PostgreSQL's `pg_c_utf8` makes it: one character for one.

    `str.lower` alone treats a final sigma in its own way and makes two characters of İ, so that what is stored and what
    is searched for would differ. Letters that are newer than this Python's Unicode stay as they are.
    """
    if "Σ" in text or "İ" in text:
        return "".join(char.lower()[0] for char in text)
    return text.lower()


def units(text: str) -> tuple[int, ...]:
    """The UTF-16 units of `text`."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    return unpack(f"<{len(encoded) // 2}H", encoded)


def pairs(text: str) -> list[int]:
    """The grams of two characters, in order; one may be there several times. Empty for a text of fewer than two."""
    return [_pair(first, second) for first, second in pairwise(units(text))]


def _pair(first: int, second: int) -> int:
    return (first << 16 | second) - 2**31


def is_one_gram(folded: str) -> bool:
    """Whether having the gram of `folded` is the same as containing `folded`.

    If not, grams only tell which names may contain it, and these have to be compared in full.
    """
    found = units(folded)
    return len(found) < _PAIR_UNITS or (len(found) == _PAIR_UNITS and found[0] != _AMBIGUOUS_FIRST)


def grams(*texts: str) -> list[int]:
    """The value of `users.search_grams` for (mobile, name, english_name): each gram once, in no order.

    These are all pairs of the folded texts, and all single characters but those of EVERYWHERE. No gram spans two
    texts.
    """
    found: set[int] = set()
    for folded in map(fold, texts):
        found.update(_singles(folded), pairs(folded))
    return list(found)


def _singles(folded: str) -> list[int]:
    return [unit for unit in units(folded) if unit not in EVERYWHERE]


class GramTexts(dict[str, str]):
    """The grams of very many people as text: what `grams` computes for one person, much faster (docs/performance.md).

    All texts of a batch become one long string. This dict maps each two neighbouring characters of it to the grams
    that they add; a pair is computed when it is first met.
    """

    def compute(self, people: Iterable[tuple[str, str, str]]) -> list[str]:
        """The grams of each person, in order, as numbers with commas between them; a few may be there twice.

        The texts must not have control characters: these separate the people in the long string.
        """
        if len(self) > _PAIRS_KEPT:
            self.clear()
        long = fold("".join([_NEXT_TEXT.join(texts) + _NEXT_PERSON for texts in people]))
        numbers = "".join(map(self.__getitem__, map(add, long, long[1:])))
        return [one[:-1] for one in numbers.split(_NEXT_PERSON)]

    def __missing__(self, neighbours: str) -> str:
        added = self[neighbours] = self._compute_added(neighbours[0], neighbours[1])
        return added

    def _compute_added(self, first: str, second: str) -> str:
        """What `first` adds where `second` follows it: itself, and the two as a pair."""
        if first in _BETWEEN:
            return first if first == _NEXT_PERSON else ""
        if second in _BETWEEN or first > _LAST_UNIT or second > _LAST_UNIT:
            held = _singles(first) + pairs(first if second in _BETWEEN else first + second)
            return "".join(f"{number}," for number in held)
        one, two = ord(first), ord(second)
        return f"{_pair(one, two)}," if one in EVERYWHERE else f"{one},{_pair(one, two)},"
