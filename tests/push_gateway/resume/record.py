"""What the state machine has committed, who has which message in which form, and what its publishers brought."""

from collections.abc import Iterable

from storage.model.event import MessageUpdated, NewMessage
from tests.push_gateway.running import to_all, update

PARTS = 2  # of a broadcast at most


class Record:
    """Messages by name, which is the key of their NewMessage: one for each part of a broadcast."""

    def __init__(self, user_ids: Iterable[int]) -> None:
        self.events: list[NewMessage] = []
        """Everything that was ever committed, in its first form."""
        self.histories: dict[int, list[str]] = {user_id: [] for user_id in user_ids}
        self.ever: dict[int, set[str]] = {user_id: set() for user_id in user_ids}
        """What was in a person's history once, recalled or not."""
        self.changes: list[MessageUpdated] = []
        """Every change of everything, in the order of the commits."""
        self.published: dict[str, int] = {}
        """The newest version of what was ever published."""
        self.changed: set[str] = set()
        """What was published as changed."""
        self.reordered: set[str] = set()
        """What was published as new after a change of it was."""
        self._versions: dict[int, int] = {}

    def commit(self, *audiences: Iterable[int]) -> list[NewMessage]:
        """A new message, in one part for each audience; its events."""
        id = len(self._versions) + 1
        self._versions[id] = 1
        parts = [to_all(id, sorted(audience), part=part) for part, audience in enumerate(audiences)]
        for event in parts:
            self.events.append(event)
            for user_id in event.recipients[0][1]:
                self.histories[user_id].append(event.key)
                self.ever[user_id].add(event.key)
        return parts

    def change(self, id: int) -> list[MessageUpdated]:
        """A message gets its next version; the events of the parts that are in histories."""
        self._versions[id] += 1
        changes = [
            update(event, self._versions[id])
            for event in self.events
            if event.message.id == id and self.is_there(event.key)
        ]
        self.changes += changes
        return changes

    def recall(self, name: str) -> None:
        """A message leaves every history."""
        for history in self.histories.values():
            if name in history:
                history.remove(name)

    def note_published(self, event: NewMessage | MessageUpdated) -> None:
        """An event was put on the bus."""
        name = f"n{event.message.id}.{event.part}"
        self.published[name] = max(self.published.get(name, 1), event.message.version or 1)
        if isinstance(event, MessageUpdated):
            self.changed.add(name)
        elif name in self.changed:
            self.reordered.add(name)

    def is_there(self, name: str) -> bool:
        """Whether anybody has the message."""
        return any(name in history for history in self.histories.values())

    def version_of(self, name: str) -> int:
        """The newest."""
        return self._versions[_id_of(name)]

    def name_of(self, id: int, user_id: int) -> str:
        """The name of a message for a person: which part of it they have or had."""
        names = [f"n{id}.{part}" for part in range(PARTS)]
        return next((name for name in names if name in self.ever[user_id]), names[0])


def _id_of(name: str) -> int:
    return int(name.removeprefix("n").partition(".")[0])
