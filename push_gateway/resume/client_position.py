"""The text of `pos` in frames and of `since` in handshakes (contract §5, Resume). Clients do not look into it.

Pure. It holds the generation of the bus, a position in a shard's stream, and whose it is: one person, or all
people of a shard who were told the same event with the same bytes (docs/decisions/0015-positions-and-resume.md).
"""

import re
from dataclasses import dataclass

from storage.valkey.bus_reader import Position

# The `pos` of a client of which it is not known what it knows. A client that comes back with it is told RESYNC.
NOWHERE = "0"

# generation-milliseconds-sequence-owner; the owner is a person's id, or `s` and a shard's number.
_PATTERN = re.compile(r"([0-9a-f]{8})-([0-9]{1,15})-([0-9]{1,15})-(s?)([0-9]{1,16})", re.ASCII)


@dataclass(frozen=True, slots=True)
class ClientPosition:
    """What a client showed as `since`, taken apart; whether it is true is for `BusView` to say."""

    generation: str
    position: Position
    user_id: int | None
    """Whose it is; None if several people share it, then `shard` is set."""
    shard: int | None


def format_position(generation: str, position: Position, *, user_id: int) -> str:
    """The `pos` of one person."""
    return f"{format_place(generation, position)}{user_id}"


def format_place(generation: str, position: Position) -> str:
    """The `pos` of a person without their id, which comes last: what everybody of a shard has in common."""
    ms, sequence = position
    return f"{generation}-{ms}-{sequence}-"


def format_shared_position(generation: str, position: Position, *, shard: int) -> str:
    """The `pos` of an event for several people of one shard."""
    return f"{format_place(generation, position)}s{shard}"


def parse_position(text: str) -> ClientPosition | None:
    """Take apart what a client sent; None for any text that is not a position."""
    found = _PATTERN.fullmatch(text)
    if found is None:
        return None
    generation, ms, sequence, shared, owner = found.groups()
    user_id, shard = (None, int(owner)) if shared else (int(owner), None)
    return ClientPosition(generation, Position(int(ms), int(sequence)), user_id, shard)
