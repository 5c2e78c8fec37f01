"""Messages looked up: what a request sent, the way of one message, and, for those who may, what was written in it."""

import asyncio
from datetime import datetime
from typing import Any

from ingest.console.operations import show_instant
from ingest.console.visit import Visit
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound, TransientError
from storage.model.message import FIRST_VERSION, Message
from storage.postgres.acts import sends as acts
from storage.postgres.messages import cards, lookup, trails
from storage.postgres.messages.cards import CardVersion
from storage.postgres.messages.lookup import FoundMessage
from storage.postgres.messages.trails import SentMessage, Trail
from storage.valkey.push_questions import PushAnswer

# The newest versions of a card that its page shows.
_VERSIONS = 50
_THERE_IS_NONE = "There is no such message. It may have been sent in a month that is gone."


async def find_messages(visit: Visit) -> dict[str, Any]:
    """What the request with the id `request_id` sent, of the newest messages, or of those before `before_id`.

    `searched_to` and `next_before_id` say where to go on; null when nothing older is left.
    """
    page = await visit.services.backends.shares.lists.query(
        trails.find_by_request_id, visit.read_text("request_id"), before_id=visit.before_id
    )
    return {
        "messages": [_show_sent(one) for one in page.messages],
        "searched_to": show_instant(page.searched_to),
        "next_before_id": None if page.next_before_id is None else str(page.next_before_id),
    }


def _show_sent(one: SentMessage) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "receiver_id": _show_id(one.receiver_id),
        "created_at": show_instant(one.created_at),
    }


async def show_message(visit: Visit) -> dict[str, Any]:
    """The way of a message, to how many sockets it went, and a card's state and versions. Raises NotFound.

    Of what was written it has the title that an app gave, and nothing else.
    """
    database = visit.services.database
    trail, versions, push = await asyncio.gather(
        database.query(trails.find_trail, visit.id),
        database.query(cards.list_versions, visit.id, limit=_VERSIONS),
        _ask_gateways(visit),
    )
    if trail is None:
        raise NotFound(_THERE_IS_NONE, code=ErrorCode.UNKNOWN_MESSAGE)
    message = trail.found.message
    return {
        "id": str(message.id),
        "type": message.type,
        "content_type": message.content_type,
        "title": message.title if message.sent_by_app_id else None,
        "status": trail.found.status,
        "is_held": trail.found.is_held,
        "is_broadcast": message.is_broadcast,
        "app_name": message.app_name,
        "sender_id": _show_id(message.sender_id),
        "receiver_id": _show_id(message.receiver_id),
        "created_at": show_instant(message.created_at),
        "push": None if push is None else _show_push(push, since=message.created_at),
        "card": _show_card(message, versions),
        **_show_way(trail),
    }


def _show_card(message: Message, versions: list[CardVersion]) -> dict[str, Any] | None:
    """None for what is no card: it has no state and no name of its app's, and never changed."""
    if message.state is None and message.ref is None and not versions:
        return None
    return {
        "state": message.state,
        "ref": message.ref,
        "version": message.version or FIRST_VERSION,
        "versions": [
            {
                "version": one.version,
                "changed_at": show_instant(one.changed_at),
                "changed_by": one.changed_by,
                "request_id": one.request_id,
            }
            for one in versions
        ],
    }


def _show_way(trail: Trail) -> dict[str, Any]:
    trouble = trail.trouble
    return {
        "request_id": trail.request_id,
        "publication": trail.publication,
        "due_at": show_instant(trail.due_at),
        "read_at": show_instant(trail.found.read_at),
        "recalled_at": show_instant(trail.recalled_at),
        "trouble": None
        if trouble is None
        else {
            "attempts": trouble.attempts,
            "error": trouble.error,
            "at": show_instant(trouble.at),
        },
    }


async def _ask_gateways(visit: Visit) -> tuple[list[PushAnswer], int] | None:
    """What gateways have answered so far, and how many there are; None if Valkey does not answer."""
    backends = visit.services.backends
    try:
        answers = await backends.push_questions.ask(visit.id)
        counts = await backends.gateways.read_counts()
    except TransientError:
        return None
    return answers, counts.processes


def _show_push(push: tuple[list[PushAnswer], int], *, since: datetime) -> dict[str, Any]:
    """`is_whole`: every gateway that there is now remembers everything since the message was sent.

    Processes that have ended meanwhile are not known of, and neither is what was replayed to clients that resumed.
    """
    answers, gateways = push
    sent_ms = int(since.timestamp() * 1000)
    first = min((one.at_ms for one in answers if one.at_ms is not None), default=None)
    return {
        "sockets": sum(one.sockets for one in answers),
        "first_at": None if first is None else _show_ms(first),
        "answered": len(answers),
        "gateways": max(gateways, len(answers)),
        "is_whole": all(one.at_ms is not None or one.since_ms <= sent_ms for one in answers),
    }


def _show_ms(ms: int) -> str | None:
    return show_instant(datetime.fromtimestamp(ms / 1000).astimezone())


async def read_content(visit: Visit) -> dict[str, Any]:
    """What was written in a message; that it was read is in the audit. Raises NotFound."""
    found = await visit.services.database.transaction(acts.read_content, visit.actor, id=visit.id)
    if found is None:
        raise NotFound(_THERE_IS_NONE, code=ErrorCode.UNKNOWN_MESSAGE)
    message = found.message
    return {
        "title": message.title,
        "content": message.content,
        "action_url": message.action_url,
        "action_text": message.action_text,
    }


async def recall(visit: Visit) -> dict[str, Any]:
    """Take a message to one receiver back, wherever it is on its way. Raises NotFound."""
    database = visit.services.database
    found: FoundMessage | None = await database.query(lookup.find_message, visit.id)
    if found is None or found.message.is_broadcast:
        raise NotFound(_THERE_IS_NONE, code=ErrorCode.UNKNOWN_MESSAGE)
    await database.transaction(acts.recall_message, visit.actor, found=found)
    return {}


def _show_id(id: int | None) -> str | None:
    return None if id is None else str(id)
