"""A client of the state machine: what it knows, in which form, and what it may never be told."""

import json
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from push_gateway.connection import Connection
from push_gateway.resume.client_position import parse_position
from push_gateway.sockets.frame_socket import SocketOwner
from storage.valkey.bus_reader import BEGINNING
from storage.valkey.event_json import shard_of
from tests.push_gateway.resume.model_bus import ModelBus
from tests.push_gateway.resume.record import Record


class Device:
    """A client: what it knows, and its socket (a FrameSocket) while it is connected.

    Of two forms of a message it shows the one with the higher version, as clients are told to. It does nothing about a
    change of a message that it does not have.
    """

    def __init__(self, user_id: int, record: Record) -> None:
        self.user_id = user_id
        self.record = record
        self.history = record.histories[user_id]
        self.recalls_told: list[str] = []
        self.known: set[str] = set()
        self.versions: dict[str, int] = {}  # of what it knows
        self.pos: str | None = None
        self.told: list[str] = []
        self.types: list[str] = []
        self.forms_told: list[tuple[str, int]] = []
        self.frames_seen: int | None = None  # of a connection; None: all of them
        self.since_told: list[str] = []
        self.newest_told: dict[str, int] = {}
        self.gone: set[str] = set()  # told to be recalled
        self.close_code: int | None = None
        self.heard_at = 0.0
        self.connection: Connection | None = None

    def begin_connection(self, *, resumes: bool) -> None:
        """A new socket: nothing was told on it yet."""
        self.told, self.types, self.forms_told = [], [], []
        if not resumes:
            self.since_told = []

    def read_history(self) -> None:
        """Over REST: everything, in its newest form."""
        self.known = set(self.history)
        self.versions = {name: self.record.version_of(name) for name in self.history}

    def forget_what_nobody_knows(self, bus: ModelBus) -> None:
        """A new process knows what the bus holds: the rest may be told again, and so may what was put there again since."""
        shard, shown = shard_of(self.user_id), parse_position(self.pos or "")
        held, forms = bus.list_held_keys(shard), bus.find_held_forms(shard)
        before = bus.list_held_keys(shard, until=BEGINNING if shown is None else shown.position)
        self.since_told = [name for name in self.since_told if name in before]
        self.gone = {name for name in self.gone if name.replace("n", "x") in held}
        self.newest_told = {
            name: told for name, told in self.newest_told.items() if forms.get(name, 0) >= told
        }

    def take_over(self, owner: SocketOwner, *, buffer_bytes: int) -> None:
        """See FrameSocket."""

    def write(self, frames: bytes) -> None:
        """Decode what came and remember it."""
        parser = ClientProtocol(parse_uri("ws://model"), state=OPEN)
        parser.receive_data(frames)
        for event in parser.events_received():
            assert isinstance(event, Frame)
            self._note(json.loads(bytes(event.data)))

    def _note(self, frame: dict[str, Any]) -> None:
        if len(self.types) == self.frames_seen:
            return
        self.types.append(frame["type"])
        self.pos = frame["pos"]
        if frame["type"] in {"HELLO", "POSITION"}:
            assert (frame["type"] == "HELLO") == (len(self.types) == 1), (
                "HELLO comes first, and once"
            )
            return
        if frame["type"] == "RESYNC":
            self.read_history()
            self.since_told = []
            return
        name = self.record.name_of(frame["data"]["id"], self.user_id)
        if frame["type"] == "MESSAGE_RECALLED":
            self.known.discard(name)
            self.versions.pop(name, None)
            self.recalls_told.append(name)
            self.gone.add(name)
            return
        self._note_form(name, frame["data"], is_new=frame["type"] == "NEW_MESSAGE")
        if frame["type"] == "NEW_MESSAGE":
            self._note_message(name)

    def _note_form(self, name: str, data: dict[str, Any], *, is_new: bool) -> None:
        version = data["version"]
        assert name in self.record.ever[self.user_id], "pushed before it was in the history"
        assert name not in self.gone, "told after it was recalled"
        text = f"第{data['id']}条"
        expected = text if version == 1 else f"{text}, {version}"
        assert data["content"] == expected, "a content of another version"
        assert version <= self.record.version_of(name), "told before it was changed"
        assert version >= self.newest_told.get(name, 0), "an older form after a newer one"
        if not is_new:
            on_socket = [told for other, told in self.forms_told if other == name]
            assert version > max(on_socket, default=0), "a change that changes nothing"
        elif name not in self.record.reordered:
            assert name not in dict(self.forms_told), "changed before it was new"
        self.newest_told[name] = version
        self.forms_told.append((name, version))
        if is_new or name in self.known:
            self.versions[name] = max(version, self.versions.get(name, 0))

    def _note_message(self, name: str) -> None:
        assert name not in self.told, "twice on one socket"
        assert name not in self.since_told, "again, though the client said where it was"
        self.told.append(name)
        self.since_told.append(name)
        self.known.add(name)

    def count_buffered(self) -> int:
        """See FrameSocket."""
        return 0

    def ping(self) -> None:
        """See FrameSocket."""

    def close(self, code: int, reason: str) -> None:
        """See FrameSocket."""
        self.close_code = code
