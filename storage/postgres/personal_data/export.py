"""A person's data, to be handed over: profile, accounts, conversations, messages, uploads (`carillon user export`).

It is read in pages along primary keys, so that a million messages cost no more memory than a thousand. Each page is a
transaction of its own: what changes meanwhile is there as it was when its page was read.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, text

from storage.model.caller import UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.postgres.message_rows import FIELDS_IN_MESSAGES
from storage.postgres.people import directory

# Who runs a question in a transaction: `BlockingDatabase.transaction`.
Run = Callable[..., Any]

_ACCOUNTS = text("""
SELECT a.app_id, a.name AS app_name, m.app_user_id, m.email
  FROM mappings m JOIN apps a ON a.id = m.app_id WHERE m.user_id = :id ORDER BY a.app_id, m.app_user_id
""")
# By the primary key; what is joined is found by its own.
_CONVERSATIONS = text("""
SELECT c.peer_id, coalesce(u.name, a.name, '') AS peer_name, c.unread_count, c.updated_at
  FROM (SELECT * FROM conversations WHERE user_id = :id AND peer_id > :after ORDER BY peer_id LIMIT :page) c
  LEFT JOIN users u ON c.peer_id > 0 AND u.id = c.peer_id
  LEFT JOIN apps a ON c.peer_id < 0 AND a.id = -c.peer_id
 ORDER BY c.peer_id
""")
_MESSAGES = text(f"""
SELECT p.message_id AS place, {FIELDS_IN_MESSAGES}, p.read_at AS my_read_at
  FROM (SELECT message_id, read_at FROM deliveries
         WHERE user_id = :id AND peer_id = :peer_id AND message_id > :after
         ORDER BY message_id LIMIT :page) p
  LEFT JOIN messages m ON m.id = p.message_id LEFT JOIN apps a ON a.id = m.app_id
 ORDER BY place
""")  # noqa: S608 (column lists of `message_rows`)
# A walk along the primary key: there is no index of senders.
_WAITING = text("""
SELECT id, receiver_id, type, content_type, title, content, created_at, sender_id = :id AS is_theirs
  FROM accepted WHERE id > :after ORDER BY id LIMIT :page
""")
_UPLOADS = text("""
SELECT key, content_type, filename, size, created_at FROM media_objects
 WHERE owner = :owner AND key > :after ORDER BY key LIMIT :page
""")
_PAGE = 1_000
_LOWEST = -(2**63)


def export_person(run: Run, user_id: int) -> Iterator[dict[str, Any]]:
    """Everything that is kept about a person, record by record; `kind` says what each is.

    First the profile, then accounts, and each conversation with its messages, oldest first; what the person has sent and is not
    delivered yet; uploads, by key. Messages in which somebody only names the person are not theirs. Raises NotFound if
    there is no such person.
    """
    person = run(directory.find, user_id)
    if person is None:
        raise NotFound(f"There is no user {user_id}.", code=ErrorCode.UNKNOWN_PERSON)
    yield {"kind": "profile", **_plain(asdict(person))}
    for row in run(_ask, _ACCOUNTS, id=user_id):
        yield {"kind": "account", **row}
    for conversation in _walk(run, _CONVERSATIONS, "peer_id", after=_LOWEST, id=user_id):
        yield {"kind": "conversation", **conversation}
        peer = {"id": user_id, "peer_id": conversation["peer_id"]}
        for message in _walk(run, _MESSAGES, "place", after=0, **peer):
            if message.pop("place") == message["id"]:  # else it went with its month just now
                yield _show_message(message, user_id)
    for row in _walk(run, _WAITING, "id", after=0, id=user_id):
        if row.pop("is_theirs"):
            yield {"kind": "waiting", **row}
    owner = UserCaller(person).key
    for row in _walk(run, _UPLOADS, "key", after="", owner=owner):
        yield {"kind": "upload", **row}


def _show_message(row: dict[str, Any], user_id: int) -> dict[str, Any]:
    direction = "sent" if row["sender_id"] == user_id else "received"
    read_at = row.pop("my_read_at")
    return {"kind": "message", "direction": direction, **row, "read_at": read_at}


def _walk(
    run: Run, question: Any, key: str, *, after: Any, **asked: Any
) -> Iterator[dict[str, Any]]:
    """The rows of a question, page by page, each page after the last `key` of the one before."""
    while True:
        rows: list[dict[str, Any]] = run(_ask, question, after=after, page=_PAGE, **asked)
        if rows:
            after = rows[-1][key]
        yield from rows
        if len(rows) < _PAGE:
            return


def _ask(connection: Connection, question: Any, **asked: Any) -> list[dict[str, Any]]:
    return [_plain(dict(row)) for row in connection.execute(question, asked).mappings()]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """`values` as JSON has them: instants as ISO 8601, words as text."""
    return {name: _plain_value(value) for name, value in values.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value
