"""Names as grams: substrings of one and of two characters, as numbers, which an index finds names by.

Used by `storage/postgres/people/directory.py` and `storage/postgres/people/people_import.py`. Characters are UTF-16 units, so that two of
them fit PostgreSQL's integer (shifted to be signed). A pair that begins with U+8000 has the number of
its second character: whoever holds the pair holds that one too, but not the other way round.
"""

import string
from collections.abc import Iterable
from itertools import pairwise
from operator import add
from struct import unpack

# Alone they are in nearly everyone's mobile or English name: an index of them is large
# and finds nobody.
EVERYWHERE = frozenset(map(ord, string.digits + string.ascii_lowercase))
# Between the texts of a person, and between people, while many are taken apart at once.
_NEXT_TEXT, _NEXT_PERSON = "\x1f", "\x1e"
_BETWEEN = frozenset({_NEXT_TEXT, _NEXT_PERSON})
_LAST_UNIT = "\uffff"  # a character behind it is two units
_AMBIGUOUS_FIRST = 0x8000  # of a pair: its number is also that of a single character
_PAIR_UNITS = 2
_PAIRS_KEPT = 300_000  # bounds the memory of an import


def fold(text: str) -> str:
    """`text` in lower case exactly as PostgreSQL's `pg_c_utf8` does it: one character for one.

    Not `str.lower` alone, which knows a final sigma and makes two characters of İ: what is stored and
    what is searched for would differ. (Letters newer than this Python's Unicode stay as they are.)
    """
    if "Σ" in text or "İ" in text:
        return "".join(char.lower()[0] for char in text)
    return text.lower()


def units(text: str) -> tuple[int, ...]:
    """The UTF-16 units of `text`."""
    encoded = text.encode("utf-16-le", "surrogatepass")
    return unpack(f"<{len(encoded) // 2}H", encoded)


def pairs(text: str) -> list[int]:
    """The grams of two characters, in order, repeated or not; empty for fewer than two."""
    return [_pair(first, second) for first, second in pairwise(units(text))]


def _pair(first: int, second: int) -> int:
    return (first << 16 | second) - 2**31


def is_one_gram(folded: str) -> bool:
    """Whether holding the gram of `folded` is the same as containing `folded`.

    Otherwise the grams only say who may contain it, and the names have to be compared.
    """
    found = units(folded)
    return len(found) < _PAIR_UNITS or (len(found) == _PAIR_UNITS and found[0] != _AMBIGUOUS_FIRST)


def grams(*texts: str) -> list[int]:
    """What `users.search_grams` holds for (mobile, name, english_name): each once, in no order.

    Every pair of the folded texts, and every single character but those of EVERYWHERE. None spans two
    texts.
    """
    found: set[int] = set()
    for folded in map(fold, texts):
        found.update(_singles(folded), pairs(folded))
    return list(found)


def _singles(folded: str) -> list[int]:
    return [unit for unit in units(folded) if unit not in EVERYWHERE]


class GramTexts(dict[str, str]):
    """`grams` of very many people as text, at a fraction of the cost a person.

    All texts of a batch are one long string; what every two neighbours in it add is looked up here.
    """

    def of(self, people: Iterable[tuple[str, str, str]]) -> list[str]:
        """The grams of each person, in order, with commas between; a few may be there twice.

        The texts hold no control characters, or the answer is not one for one.
        """
        if len(self) > _PAIRS_KEPT:
            self.clear()
        long = fold("".join([_NEXT_TEXT.join(texts) + _NEXT_PERSON for texts in people]))
        numbers = "".join(map(self.__getitem__, map(add, long, long[1:])))
        return [one[:-1] for one in numbers.split(_NEXT_PERSON)]

    def __missing__(self, neighbours: str) -> str:
        added = self[neighbours] = self._added(neighbours[0], neighbours[1])
        return added

    def _added(self, first: str, second: str) -> str:
        """What `first` adds where `second` follows it: itself, and the two as a pair."""
        if first in _BETWEEN:
            return first if first == _NEXT_PERSON else ""
        if second in _BETWEEN or first > _LAST_UNIT or second > _LAST_UNIT:
            held = _singles(first) + pairs(first if second in _BETWEEN else first + second)
            return "".join(f"{number}," for number in held)
        one, two = ord(first), ord(second)
        return f"{_pair(one, two)}," if one in EVERYWHERE else f"{one},{_pair(one, two)},"
