"""The state machine of bus, gateway and clients, with a bus that is damaged, for tests of resuming under any interleaving."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.push_gateway.resume.traffic import Traffic


class Interleaving(Traffic):
    """Publishing, damage, reading and clients, in any order."""

    @rule(keep=st.integers(1, 4))
    def trim(self, keep: int) -> None:
        """The bus forgets what is old, read or not."""
        self.bus.trim(keep)

    @rule()
    def wipe(self) -> None:
        """The bus is emptied under the feed's feet."""
        self.bus.wipe()

    @rule(lost=st.integers(0, 3))
    def restart_bus(self, lost: int) -> None:
        """The bus crashes and comes back, without its latest entries."""
        self.bus.restart(lost)

    @rule()
    def cut(self) -> None:
        """The feed's connection breaks."""
        self.bus.is_cut = True
