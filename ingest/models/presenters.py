"""Makes the responses of what the database holds: instants in the deployment's time zone, media as URLs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from ingest.models.app_event_responses import AppEventAnswer, AppEventsAnswer
from ingest.models.broadcast_responses import (
    BroadcastAnswer,
    BroadcastLine,
    UnreadAnswer,
    UnreadPersonAnswer,
)
from ingest.models.responses import (
    ConversationAnswer,
    MessageAnswer,
    MessageWithStatus,
)
from storage.model.app_event import AppEvent, present_event
from storage.model.broadcast import BroadcastReport, BroadcastStatus, UnreadPerson
from storage.model.conversation import SYSTEM_PEER, Conversation, make_preview
from storage.model.instant import to_unix_ms
from storage.model.message import FIRST_VERSION, MEDIA_TYPES, ContentType, Message, MessageStatus
from storage.model.send import Accepted, Send


class MediaUrls(Protocol):
    """Makes the URLs of media objects."""

    def url(self, key: str, *, filename: str = "") -> str:
        """A presigned GET URL of the object `key`; a full http(s) URL (older data) as it is."""


# Under load nearly all instants are of the last few seconds: each second is formatted once.
@lru_cache(maxsize=4096)
def _format_second(second: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(second, zone).replace(tzinfo=None).isoformat()


@dataclass(frozen=True, slots=True)
class Presenter:
    """Makes responses, in the time zone and with the media store of this deployment."""

    time_zone: ZoneInfo
    media: MediaUrls

    def show_instant(self, instant: datetime) -> tuple[str, int]:
        """`instant` as every answer has it: its text and its Unix milliseconds (contract §0, Times).

        The text is `YYYY-MM-DDTHH:MM:SS` in the deployment's time zone, without an offset.
        """
        ms = to_unix_ms(instant)
        return _format_second(ms // 1000, self.time_zone), ms

    def show_instant_or_none(self, instant: datetime | None) -> tuple[str | None, int | None]:
        """`instant` as `show_instant` shows it; two None for None."""
        return (None, None) if instant is None else self.show_instant(instant)

    def show_content(self, shown: Send | Message) -> str:
        """The content as clients see it: for media a presigned URL (contract §4), else the text itself."""
        if shown.content_type in MEDIA_TYPES:
            return self.media.url(shown.content, filename=shown.filename or "")
        return shown.content

    def present_accepted(self, accepted: Accepted) -> MessageAnswer:
        """The response to a send that was accepted."""
        send = accepted.send
        created_at, created_at_ms = self.show_instant(accepted.created_at)
        return MessageAnswer(
            id=accepted.id,
            sender_id=send.sender_id,
            receiver_id=send.receiver_id,
            app_id=send.app_id,
            app_name=send.app_name,
            type=send.type,
            content_type=send.content_type,
            title=send.title,
            content=self.show_content(send),
            filename=send.filename,
            action_url=send.action_url,
            action_text=send.action_text,
            is_read=False,
            created_at=created_at,
            created_at_ms=created_at_ms,
            read_at=None,
            read_at_ms=None,
            client_ref=send.client_ref,
            state=send.state,
            state_text=send.state_text,
            ref=send.ref,
            version=FIRST_VERSION,
        )

    def present_message(
        self, message: Message, *, read_at: datetime | None, is_callers: bool
    ) -> MessageAnswer:
        """A message that is on its way or in a history; `read_at` None: it is not read.

        `is_callers`: who asks has sent it, and so may see what their client called it.
        """
        created_at, created_at_ms = self.show_instant(message.created_at)
        shown_read_at, read_at_ms = self.show_instant_or_none(read_at)
        return MessageAnswer(
            id=message.id,
            sender_id=message.sender_id,
            receiver_id=message.receiver_id,
            app_id=message.app_id,
            app_name=message.app_name,
            type=message.type,
            content_type=message.content_type,
            title=message.title,
            content=self.show_content(message),
            filename=message.filename,
            action_url=message.action_url,
            action_text=message.action_text,
            is_read=read_at is not None,
            created_at=created_at,
            created_at_ms=created_at_ms,
            read_at=shown_read_at,
            read_at_ms=read_at_ms,
            client_ref=message.client_ref if is_callers else None,
            state=message.state,
            state_text=message.state_text,
            ref=message.ref,
            version=message.version or FIRST_VERSION,
        )

    def add_status(self, shown: MessageAnswer, status: MessageStatus) -> MessageWithStatus:
        """The message of `shown` with how far it has come."""
        return MessageWithStatus(
            **{name: getattr(shown, name) for name in MessageAnswer.__dataclass_fields__},
            status=status,
        )

    def present_conversation(self, one: Conversation) -> ConversationAnswer:
        """A line of the conversation list; its text is empty if the last message is gone."""
        is_app = one.peer_id < SYSTEM_PEER
        content_type = one.last_content_type or ContentType.TEXT
        updated_at, updated_at_ms = self.show_instant(one.updated_at)
        return ConversationAnswer(
            user_id=one.peer_id,
            username=one.peer_username,
            full_name=one.peer_name,
            unread_count=one.unread_count,
            last_message=make_preview(content_type, one.last_content or ""),
            last_message_type=content_type,
            updated_at=updated_at,
            updated_at_ms=updated_at_ms,
            is_system=one.peer_id <= SYSTEM_PEER,
            app_id=-one.peer_id if is_app else None,
            app_name=one.peer_name if is_app else None,
        )

    def present_broadcast(self, report: BroadcastReport) -> BroadcastAnswer:
        """How far a broadcast has come, with the names in its audience that nobody has."""
        line = self.present_broadcast_line(report)
        return BroadcastAnswer(**vars(line), unresolved=list(report.unresolved))

    def present_broadcast_line(self, report: BroadcastReport) -> BroadcastLine:
        """How far a broadcast has come, as a list shows it. Why something fails is for operators only."""
        created_at, created_at_ms = self.show_instant(report.created_at)
        started_at, started_at_ms = self.show_instant_or_none(report.started_at)
        finished_at, finished_at_ms = self.show_instant_or_none(report.finished_at)
        return BroadcastLine(
            id=report.id,
            status=report.status,
            total=report.total,
            expanded=report.expanded,
            failed_chunks=report.failed_chunks,
            last_error=None if report.last_error is None else _explain_failure(report.status),
            held=report.is_held,
            recalled=report.recalled,
            read=report.read,
            created_at=created_at,
            created_at_ms=created_at_ms,
            started_at=started_at,
            started_at_ms=started_at_ms,
            finished_at=finished_at,
            finished_at_ms=finished_at_ms,
            rate_per_second=report.rate_per_second,
        )

    def present_events(self, events: Sequence[AppEvent], *, after: int) -> AppEventsAnswer:
        """A page of an app's events after the number `after`."""
        items = [AppEventAnswer(**present_event(event, self.time_zone)) for event in events]
        return AppEventsAnswer(items, items[-1].seq if items else after)

    def present_unread(self, people: Sequence[UnreadPerson]) -> UnreadAnswer:
        """A page of the people who have not read a broadcast."""
        return UnreadAnswer([UnreadPersonAnswer(p.user_id, p.app_user_id, p.name) for p in people])


def _explain_failure(status: BroadcastStatus) -> str:
    if status is BroadcastStatus.FAILED:
        return "It could not be delivered. The operator can see why, and retry it."
    return "A part of it fails for now and is tried again. The operator can see why."
