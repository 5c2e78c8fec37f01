"""What a person has: the list of conversations, their histories, and what is read."""

from urllib.parse import parse_qs, urlsplit

from carillon_client.exchange import (
    Call,
    Item,
    Items,
    Query,
    Request,
    Response,
    call_json,
    exchange,
    make_request,
    read_json,
)
from carillon_client.results import Conversation, Message
from carillon_client.retries import Retries

_CONVERSATIONS_PAGE = 200
_HISTORY_PAGE = 100


def list_conversations(retries: Retries) -> Items[Conversation]:
    """All of them, newest first. One that moves up meanwhile may come again: its last line is the newer."""
    cursor: str | None = None
    while True:
        query: Query = {"limit": _CONVERSATIONS_PAGE, "cursor": cursor}
        response = yield from exchange(Request("GET", "/messages/conversations", query), retries)
        for one in read_json(response):
            yield Item(Conversation.from_json(one))
        cursor = _read_next_cursor(response)
        if cursor is None:
            return


def list_history(peer: int, retries: Retries, *, before_id: int | None) -> Items[Message]:
    """The messages with `peer`, newest first, those before `before_id` if it is given."""
    while True:
        query: Query = {"limit": _HISTORY_PAGE, "before_id": before_id}
        page = yield from call_json(Request("GET", f"/messages/history/{peer:d}", query), retries)
        for one in page:
            yield Item(Message.from_json(one))
        if len(page) < _HISTORY_PAGE:
            return
        before_id = page[-1]["id"]


def mark_read(peer: int, retries: Retries, *, up_to_id: int | None) -> Call[int]:
    """Mark a conversation as read, and return how many became read."""
    body = {} if up_to_id is None else {"up_to_id": up_to_id}
    request = make_request("PUT", f"/messages/conversations/{peer:d}/read", json=body)
    answer = yield from call_json(request, retries)
    return int(answer["updated_count"])


def count_unread(retries: Retries) -> Call[int]:
    """How many are unread, of all conversations."""
    answer = yield from call_json(Request("GET", "/messages/unread-count"), retries)
    return int(answer["total"])


def _read_next_cursor(response: Response) -> str | None:
    """The cursor of the next page in the header Link; None at the end."""
    for link in response.headers.get("link", "").split(","):
        target, _, parameters = link.partition(">")
        if 'rel="next"' in parameters:
            query = urlsplit(target.strip().removeprefix("<")).query
            return parse_qs(query)["cursor"][0]
    return None
