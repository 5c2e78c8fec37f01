"""The intake: commits sends to the table `accepted`, with the idempotency keys they came with.

Ingest calls `accept`, for a batch at a time. A row of `accepted` is the promise of a 2xx (contract §2): it
leaves the table only for `messages`, `failed_sends` or `held_sends`. This module knows nothing of what follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from storage.model.errors import CallerError
from storage.model.send import Accepted, IdempotencyKey, Send
from storage.postgres.message_rows import COLUMNS_OF_A_SEND, TYPED_COLUMNS_OF_A_SEND
from storage.postgres.raw_statements import execute_raw
from storage.postgres.sends.clock_tolerance import latest_plausible
from storage.postgres.sends.idempotency import (
    FirstUse,
    find_first_uses,
    forget_expired,
    keep_send,
    replay_answer,
)


# Not frozen: a frozen one takes longer to make, and every send needs one.
@dataclass(slots=True)
class IntakeItem:
    """A send to be accepted, with the caller's idempotency key (None: there is none).

    `origin` is the text of a `model.origin.Origin`: the request that the send came with.
    """

    send: Send
    key: IdempotencyKey | None = None
    origin: str = ""


# What comes with a send: its instant, the caller's key, and where it comes from.
_REQUEST_COLUMNS = "send_at, caller, key, fingerprint, kept, origin"
_TYPED_REQUEST_COLUMNS = """send_at timestamptz, caller text, key text, fingerprint text, kept jsonb,
      origin text"""
# PostgreSQL makes ids and instants; the ids of a batch are taken at once and rise in its order
# (docs/decisions/0004-ids-from-the-record.md). The batch is one JSON value, which costs less to write and to read than
# an array for each column. Keys are inserted in key order: two batches with the same keys wait for one another and
# never deadlock (docs/decisions/0030-idempotency.md).
_ACCEPT_ANY = f"""
WITH first AS MATERIALIZED (
  SELECT take_message_ids(CAST(%(count)s AS int), CAST(%(latest)s AS bigint)) AS id
){{scheduled_ids}}, batch AS MATERIALIZED (
  SELECT u.*, {{id}} AS id, {{created_at}} AS created_at, {{is_scheduled}} AS is_scheduled
    FROM ROWS FROM (json_to_recordset(CAST(%(batch)s AS json)) AS (
      {TYPED_COLUMNS_OF_A_SEND}, {_TYPED_REQUEST_COLUMNS}
    )) WITH ORDINALITY AS u({COLUMNS_OF_A_SEND}, {_REQUEST_COLUMNS}, place), {{tables}}
), keys AS (
  INSERT INTO idempotency_keys (caller, key, fingerprint, message_id, created_at, send)
  SELECT caller, key, decode(fingerprint, 'hex'), id, created_at, kept
    FROM batch WHERE key IS NOT NULL ORDER BY caller, key
  ON CONFLICT DO NOTHING
  RETURNING message_id
), fresh AS (
  SELECT * FROM batch WHERE key IS NULL OR id IN (SELECT message_id FROM keys)
), taken AS (
  INSERT INTO accepted ({COLUMNS_OF_A_SEND}, id, created_at, is_scheduled, ring_at, accepted_at, origin)
  SELECT {COLUMNS_OF_A_SEND}, id, created_at, is_scheduled, created_at,
         CASE WHEN is_broadcast THEN clock_timestamp() END, origin
    FROM fresh ORDER BY place
), refs AS (
  INSERT INTO card_refs (app_id, ref, message_id)
  SELECT sent_by_app_id, ref, id FROM fresh WHERE ref IS NOT NULL
)
SELECT b.id, b.created_at, f.id IS NOT NULL AS is_fresh
  FROM batch b LEFT JOIN fresh f USING (id) ORDER BY b.place
"""  # noqa: S608 (column lists of `message_rows`)
_LIVE_ID = "first.id + 2 * (place - 1)"
_ACCEPT = _ACCEPT_ANY.format(
    scheduled_ids="",
    id=_LIVE_ID,
    created_at="clock_timestamp()",
    is_scheduled="false",
    tables="first",
)
# For a batch with scheduled sends. One that is due already when it comes is a live send: its scheduled id is NULL.
_ACCEPT_SCHEDULED = _ACCEPT_ANY.format(
    scheduled_ids=""", scheduled AS MATERIALIZED (
  SELECT take_scheduled_ids(CAST(%(dues)s AS timestamptz[])) AS ids
)""",
    id=f"coalesce(scheduled.ids[place], {_LIVE_ID})",
    created_at="CASE WHEN scheduled.ids[place] IS NULL THEN clock_timestamp() ELSE send_at END",
    is_scheduled="scheduled.ids[place] IS NOT NULL",
    tables="first, scheduled",
)


def accept(
    connection: Connection, requests: Sequence[IntakeItem], *, now: datetime | None = None
) -> list[Accepted | CallerError]:
    """Write all of `requests` to `accepted`, or nothing; returns one answer for each, in their order.

    After the commit each answer that is new is a promise: its send will be delivered. A key that was used before with
    the same body gets the first answer again and writes nothing, also while the first use is still under way (then this
    waits for its commit). A key that was used with another body gets a CallerError; the other requests stand.

    `now` is the time by this process's clock; None reads it. Raises TransientError if PostgreSQL's clock is more than
    CLOCK_TOLERANCE ahead of it: ids of that time would have no partition, and no later id could be in the present.
    """
    keyed = [request.key for request in requests if request.key is not None]
    if keyed:
        forget_expired(connection, keyed, now=now)
    dues = [request.send.send_at for request in requests]
    asked = _batch_parameters(requests) | {"latest": int(latest_plausible(now).timestamp() * 1000)}
    if any(dues):
        rows = execute_raw(connection, _ACCEPT_SCHEDULED, asked | {"dues": dues})
    else:
        rows = execute_raw(connection, _ACCEPT, asked)
    has_replay = keyed and not all(is_fresh for _id, _created_at, is_fresh in rows)
    before = find_first_uses(connection, keyed) if has_replay else {}
    return [
        Accepted(id, created_at, request.send) if is_fresh else _replay(request, before)
        for request, (id, created_at, is_fresh) in zip(requests, rows, strict=True)
    ]


def _replay(
    request: IntakeItem, first_uses: dict[tuple[str, str], FirstUse]
) -> Accepted | CallerError:
    key = request.key
    if key is None:
        raise AssertionError("Only a key can have been used before.")
    return replay_answer(key, first_uses[(key.caller, key.key)])


def _batch_parameters(requests: Sequence[IntakeItem]) -> dict[str, Any]:
    rows = [_write_row(request) for request in requests]
    return {"batch": orjson.dumps(rows).decode(), "count": len(rows)}


def _write_row(request: IntakeItem) -> dict[str, Any]:
    send, key = request.send, request.key
    # What is None is left out: less text, and PostgreSQL reads it back as NULL.
    row = {name: value for name, value in vars(send).items() if value is not None}
    if request.origin:
        row["origin"] = request.origin
    if key is not None:
        row["caller"], row["key"] = key.caller, key.key
        row["fingerprint"] = key.fingerprint.hex()
        row["kept"] = keep_send(send)
    return row
