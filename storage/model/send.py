"""A send: a request that passed every rule of contract §2 and is ready to be accepted."""

from dataclasses import dataclass
from datetime import datetime

from storage.model.message import CardState, ContentType, MessageType


# Neither Send nor Accepted is frozen: a frozen one takes far longer to make, and each request makes one of each
# (docs/performance.md). A Send has no slots: its `__dict__` is what is written (`storage/postgres/sends/intake.py`).
@dataclass
class Send:
    """What will become a message. Field meanings are those of `storage.model.message.Message`.

    `receiver_id` is None exactly when `is_broadcast`. `send_at` is aware UTC; None: at once. `audience` of a broadcast
    is a tuple of user ids; None: everyone who is active. `unresolved` are the names or ids that led to nobody.
    """

    sender_id: int | None
    receiver_id: int | None
    app_id: int | None
    app_name: str | None
    sent_by_app_id: int | None
    type: MessageType
    content_type: ContentType
    title: str
    content: str
    action_url: str | None = None
    action_text: str | None = None
    filename: str | None = None
    client_ref: str | None = None
    state: CardState | None = None
    state_text: str | None = None
    ref: str | None = None
    is_broadcast: bool = False
    send_at: datetime | None = None
    audience: tuple[int, ...] | None = None
    unresolved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A caller's promise that two requests with this key are one.

    `caller` is `Caller.key`; `fingerprint` a digest of the request body.
    """

    caller: str
    key: str
    fingerprint: bytes


@dataclass(slots=True)
class Accepted:
    """The record's answer to a send: its id and instant.

    `is_replay`: the idempotency key was used for the same body before. Then `id`, `created_at` and `send` are those of
    the first request, and nothing new was written.
    """

    id: int
    created_at: datetime
    send: Send
    is_replay: bool = False
