"""What is scheduled: sends and broadcasts that are not due yet."""

from typing import Any

from ingest.console.operations import SHOWN, show_instant
from ingest.console.visit import Visit
from storage.postgres.sends import schedule
from storage.postgres.sends.schedule import ScheduledSend


async def list_scheduled(visit: Visit) -> list[dict[str, Any]]:
    """What is due next, or what comes after the send `after_id`; with the titles that apps gave."""
    found = await visit.services.database.query(
        schedule.list_scheduled, limit=SHOWN, after_id=visit.read_id("after_id") or 0
    )
    return [_show(one) for one in found]


def _show(one: ScheduledSend) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "due_at": show_instant(one.due_at),
        "type": one.type,
        "app_name": one.app_name,
        "sender_id": None if one.sender_id is None else str(one.sender_id),
        "receiver_id": None if one.receiver_id is None else str(one.receiver_id),
        "is_broadcast": one.is_broadcast,
        "title": one.title if one.sent_by_app_id else None,
        "is_held": one.is_held,
    }
