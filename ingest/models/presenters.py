"""How this deployment shows what the record holds: instants in its zone, media as URLs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from ingest.models.responses import (
    BroadcastAnswer,
    BroadcastLine,
    ConversationAnswer,
    MessageAnswer,
    MessageWithStatus,
    UnreadAnswer,
    UnreadPersonAnswer,
)
from storage.model.broadcast import BroadcastReport, BroadcastStatus, UnreadPerson
from storage.model.conversation import SYSTEM_PEER, Conversation, make_preview
from storage.model.message import MEDIA_TYPES, ContentType, Message, MessageStatus
from storage.model.send import Accepted, Send


class MediaUrls(Protocol):
    """What turns an object key into a URL to show."""

    def url(self, key: str, *, filename: str = "") -> str:
        """A presigned GET URL; a full http(s) URL (older data) as it is."""


# Whatever is shown under load is of the last few seconds, and is rendered once a second.
@lru_cache(maxsize=4096)
def _local(second: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None).isoformat()


@dataclass(frozen=True, slots=True)
class Display:
    """How this deployment shows things."""

    time_zone: ZoneInfo
    media: MediaUrls

    def time(self, instant: datetime) -> str:
        """`YYYY-MM-DDTHH:MM:SS` in the deployment's zone."""
        return _local(int(instant.timestamp() // 1), self.time_zone)

    def time_or_none(self, instant: datetime | None) -> str | None:
        """The same, or None."""
        return None if instant is None else self.time(instant)

    def content(self, shown: Send | Message) -> str:
        """What is shown: for media a presigned URL (contract §4), else the content."""
        if shown.content_type in MEDIA_TYPES:
            return self.media.url(shown.content, filename=shown.filename or "")
        return shown.content

    def accepted(self, accepted: Accepted) -> MessageAnswer:
        """The answer to a send."""
        send = accepted.send
        return MessageAnswer(
            id=accepted.id,
            sender_id=send.sender_id,
            receiver_id=send.receiver_id,
            app_id=send.app_id,
            app_name=send.app_name,
            type=send.type,
            content_type=send.content_type,
            title=send.title,
            content=self.content(send),
            filename=send.filename,
            action_url=send.action_url,
            action_text=send.action_text,
            is_read=False,
            created_at=self.time(accepted.created_at),
            read_at=None,
        )

    def message(self, message: Message, *, read_at: datetime | None) -> MessageAnswer:
        """A message that is on its way, or in a history."""
        return MessageAnswer(
            id=message.id,
            sender_id=message.sender_id,
            receiver_id=message.receiver_id,
            app_id=message.app_id,
            app_name=message.app_name,
            type=message.type,
            content_type=message.content_type,
            title=message.title,
            content=self.content(message),
            filename=message.filename,
            action_url=message.action_url,
            action_text=message.action_text,
            is_read=read_at is not None,
            created_at=self.time(message.created_at),
            read_at=self.time_or_none(read_at),
        )

    def with_status(self, shown: MessageAnswer, status: MessageStatus) -> MessageWithStatus:
        """The same, and how far it has come."""
        return MessageWithStatus(
            **{name: getattr(shown, name) for name in MessageAnswer.__dataclass_fields__},
            status=status,
        )

    def conversation(self, one: Conversation) -> ConversationAnswer:
        """A line of the conversation list; without its last message, an empty text."""
        is_app = one.peer_id < SYSTEM_PEER
        content_type = one.last_content_type or ContentType.TEXT
        return ConversationAnswer(
            user_id=one.peer_id,
            username=one.peer_username,
            full_name=one.peer_name,
            unread_count=one.unread_count,
            last_message=make_preview(content_type, one.last_content or ""),
            last_message_type=content_type,
            updated_at=self.time(one.updated_at),
            is_system=one.peer_id <= SYSTEM_PEER,
            app_id=-one.peer_id if is_app else None,
            app_name=one.peer_name if is_app else None,
        )

    def broadcast(self, report: BroadcastReport) -> BroadcastAnswer:
        """How far a broadcast has come."""
        line = self.broadcast_line(report)
        return BroadcastAnswer(**vars(line), unresolved=list(report.unresolved))

    def broadcast_line(self, report: BroadcastReport) -> BroadcastLine:
        """The same, as a list shows it. Why something fails is the operator's to know."""
        return BroadcastLine(
            id=report.id,
            status=report.status,
            total=report.total,
            expanded=report.expanded,
            failed_chunks=report.failed_chunks,
            last_error=None if report.last_error is None else _failing(report.status),
            held=report.is_held,
            recalled=report.recalled,
            read=report.read,
            created_at=self.time(report.created_at),
            started_at=self.time_or_none(report.started_at),
            finished_at=self.time_or_none(report.finished_at),
            rate_per_second=report.rate_per_second,
        )

    def unread(self, people: Sequence[UnreadPerson]) -> UnreadAnswer:
        """Who has not read a broadcast."""
        return UnreadAnswer([UnreadPersonAnswer(p.user_id, p.app_user_id, p.name) for p in people])


def _failing(status: BroadcastStatus) -> str:
    if status is BroadcastStatus.FAILED:
        return "It could not be delivered. The operator can see why, and retry it."
    return "A part of it fails for now and is tried again. The operator can see why."
