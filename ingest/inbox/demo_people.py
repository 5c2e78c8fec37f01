"""The demo's own three people: those, and nobody else, whom the page of `/inbox` may sign in without a password.

`carillon demo` makes them. Pure.
"""

from dataclasses import dataclass

# Far above the ids of an organisation, below 2^53 (contract §0).
_FIRST_ID = 9_000_000_000_001


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody who exists for the demo; `account` is their name in the demo's apps."""

    id: int
    mobile: str
    name: str
    english_name: str
    account: str


MEI = DemoPerson(_FIRST_ID, "10000000001", "演示 梅", "Demo Mei", "mei")
LIN = DemoPerson(_FIRST_ID + 1, "10000000002", "演示 林", "Demo Lin", "lin")
TAO = DemoPerson(_FIRST_ID + 2, "10000000003", "演示 涛", "Demo Tao", "tao")
DEMO_PEOPLE = (MEI, LIN, TAO)
