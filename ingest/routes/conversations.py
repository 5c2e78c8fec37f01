"""Reading: the conversation list, histories, and marking as read (contract §4)."""

from ingest.http.endpoint import API, PEOPLE, HeaderNote, endpoint
from ingest.http.response import Header, Response
from ingest.models.cursors import format_cursor
from ingest.models.requests import (
    ConversationsWindow,
    HistoryWindow,
    Nothing,
    OneConversation,
    ReadBody,
)
from ingest.models.responses import ConversationAnswer, MessageAnswer, Totals, UpdatedCount
from ingest.services import Context, Services
from storage.broker.queues import SENDS
from storage.model.caller import UserCaller
from storage.model.conversation import SYSTEM_PEER, ConversationCursor
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound, OverLimit
from storage.model.message import MessageView
from storage.postgres.database import Database
from storage.postgres.messages import conversations, history
from storage.postgres.people import apps

# Rows that are skipped are read all the same: past this a page is a long query, and one caller gets one at a time.
_LONG_SKIP = 1_000
# Conversations on a page if the caller does not say.
_PAGE = 200
# Since the first version, in Unix seconds (RFC 9745); the successor needs an id where the braces are.
_DEPRECATED = "@1795737600"
_SUCCESSOR = f'<{API}/messages/conversations/%7Bother_user_id%7D/read>; rel="successor-version"'


@endpoint(
    "GET",
    f"{API}/messages/conversations",
    callers=PEOPLE,
    params=ConversationsWindow,
    response=list[ConversationAnswer],
    response_headers=(
        HeaderNote(
            "Link",
            "Where the next page is, if `limit` or `cursor` was given and there is one.",
            '<?limit=50&cursor=WzEsWzE3N10>; rel="next"',
        ),
    ),
)
async def list_conversations(
    context: Context[UserCaller, ConversationsWindow, Nothing],
) -> Response:
    """The caller's conversations, newest first: the newest 1,000, or by page.

    A conversation that gets a message while somebody pages may come again on the last pages; none is left out.
    """
    services, window, me = context.services, context.params, context.caller.person.id
    if window.limit is None and window.cursor is None:
        found = await services.database.query(conversations.list_conversations, me)
        return Response([services.presenter.present_conversation(one) for one in found])
    limit = window.limit or _PAGE
    page = await services.database.query(
        conversations.list_page, me, limit=limit, cursor=window.cursor
    )
    return Response(
        [services.presenter.present_conversation(one) for one in page.conversations],
        headers=[] if page.next is None else [_link_next(limit, page.next)],
    )


@endpoint(
    "GET",
    f"{API}/messages/history/{{other_user_id}}",
    callers=PEOPLE,
    params=HistoryWindow,
    response=list[MessageAnswer],
    errors=(NotFound, OverLimit),
)
async def list_history(context: Context[UserCaller, HistoryWindow, Nothing]) -> Response:
    """A page of a conversation, newest first: with a person (> 0), an app (< 0) or the system (0).

    `is_read` of a message that the caller sent tells whether the other side has read it. What lies deep is paged by
    `before_id`: `skip` reads what it skips, and of far pages one after the other is answered.
    """
    services, window, me = context.services, context.params, context.caller.person.id
    await _check_peer(services, window.other_user_id)
    if window.skip > _LONG_SKIP:
        async with services.list_slots.take(context.caller) as database:
            views = await _query_history(database, context.caller, window)
    else:
        views = await _query_history(services.database, context.caller, window)
    return Response(
        [
            services.presenter.present_message(
                one.message, read_at=one.read_at, is_callers=one.message.sender_id == me
            )
            for one in views
        ]
    )


async def _query_history(
    database: Database, caller: UserCaller, window: HistoryWindow
) -> list[MessageView]:
    return await database.query(
        history.list_history,
        caller.person.id,
        peer_id=window.other_user_id,
        skip=window.skip,
        limit=window.limit,
        before_id=window.before_id,
    )


@endpoint(
    "PUT",
    f"{API}/messages/read-all",
    callers=PEOPLE,
    response=UpdatedCount,
    response_headers=(
        HeaderNote(
            "Deprecation", "This call is deprecated: read one conversation instead.", _DEPRECATED
        ),
        HeaderNote("Link", "The call in its place.", _SUCCESSOR),
    ),
    is_deprecated=True,
)
async def read_all(context: Context[UserCaller, Nothing, Nothing]) -> Response:
    """Mark everything as read."""
    services, me = context.services, context.caller.person.id
    count = await services.database.query(conversations.mark_all_read, me)
    _ring_if_changed(services, count)
    headers = [("Deprecation", _DEPRECATED), ("Link", _SUCCESSOR)]
    return Response(UpdatedCount(count), headers=headers)


@endpoint(
    "PUT",
    f"{API}/messages/conversations/{{other_user_id}}/read",
    callers=PEOPLE,
    params=OneConversation,
    body=ReadBody,
    body_is_optional=True,
    response=UpdatedCount,
    errors=(NotFound,),
)
async def read_conversation(
    context: Context[UserCaller, OneConversation, ReadBody],
) -> Response:
    """Mark a conversation as read, all of it or up to and with `up_to_id`."""
    services, me, peer_id = context.services, context.caller.person.id, context.params.other_user_id
    await _check_peer(services, peer_id)
    count = await services.database.query(
        conversations.mark_read, me, peer_id=peer_id, up_to_id=context.body.up_to_id
    )
    _ring_if_changed(services, count)
    return Response(UpdatedCount(count))


@endpoint("GET", f"{API}/messages/unread-count", callers=PEOPLE, response=Totals)
async def count_unread(context: Context[UserCaller, Nothing, Nothing]) -> Response:
    """How many messages the caller has not read, and how many to-dos are pending."""
    counts = await context.services.database.query(
        conversations.count_unread, context.caller.person.id
    )
    return Response(Totals(counts.messages, counts.todos))


ROUTES = (list_conversations, list_history, read_all, read_conversation, count_unread)


def _link_next(limit: int, cursor: ConversationCursor) -> Header:
    """The header that leads to the next page (RFC 8288), relative to the URL that the caller asked for."""
    return ("Link", f'<?limit={limit}&cursor={format_cursor(cursor)}>; rel="next"')


def _ring_if_changed(services: Services, count: int) -> None:
    """Have a worker tell the person's devices, if `count` deliveries became read."""
    if count:
        services.backends.doorbell.ring(SENDS)


async def _check_peer(services: Services, peer_id: int) -> None:
    """Raise NotFound for the conversation with a person or app that does not exist."""
    if peer_id > SYSTEM_PEER and await services.lookups.people.find(peer_id) is None:
        raise NotFound("There is no such person.", code=ErrorCode.UNKNOWN_PERSON)
    if peer_id < SYSTEM_PEER and await services.database.query(apps.find_by_id, -peer_id) is None:
        raise NotFound("There is no such app.", code=ErrorCode.UNKNOWN_APP)
