"""Readers of a broadcast: how many have read it, and who has not (contract §3).

An audience may be a million people, so each question looks at a part of it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from storage.model.broadcast import UnreadPerson

# How many chunks one question looks at. Others wait for the connection, so it must be short
# (docs/decisions/0018-shares-of-connections.md).
CHUNKS_AT_ONCE = 20


# A count may be a minute old (contract §3). The first request after that counts; others show the last count.
_START_COUNT = text("""
UPDATE broadcasts SET read_counted_at = clock_timestamp()
 WHERE id = :id AND app_id = :app_id AND total > 0
   AND (read_counted_at IS NULL OR read_counted_at < clock_timestamp() - interval '1 minute')
""")
_STORE_COUNT = text("UPDATE broadcasts SET read_count = :count WHERE id = :id")
# The next chunks that have people with ids above `after`, in order along the primary key.
_PART = """
part AS MATERIALIZED (
  SELECT c.user_ids, c.last_user_id, c.app_id FROM broadcast_chunks c
   WHERE c.broadcast_id = :id AND c.last_user_id > :after AND c.state IN ('expanded', 'published')
   ORDER BY c.number LIMIT :chunks
), people AS (
  SELECT u.id, part.app_id, part.last_user_id FROM part CROSS JOIN LATERAL unnest(part.user_ids) AS u(id)
)
"""
# Each person is one probe of the primary key of `deliveries`. The LIMIT keeps PostgreSQL from another way: it takes an
# array for a few people, and would read a month of deliveries to find them.
_COUNT_READS = text(f"""
WITH {_PART}
SELECT max(part_end.last) AS last, (
    SELECT count(*) FROM people p CROSS JOIN LATERAL (
      SELECT 1 FROM deliveries d
       WHERE d.user_id = p.id AND d.peer_id = -p.app_id AND d.message_id = :id
         AND d.read_at IS NOT NULL LIMIT 1) has_read) AS reads
  FROM (SELECT max(last_user_id) AS last FROM part) part_end
""")  # noqa: S608 (the part is the constant above)


def start_count(connection: Connection, broadcast_id: int, *, app_id: int) -> bool:
    """True if the count of readers is older than a minute; then the caller is the one who has to count again."""
    parameters = {"id": broadcast_id, "app_id": app_id}
    return connection.execute(_START_COUNT, parameters).rowcount == 1


@dataclass(frozen=True, slots=True)
class ReadCount:
    """How many people of a part of the audience have read it; `last_user_id` ends the part (None: the audience ended)."""

    count: int
    last_user_id: int | None


def count_reads(connection: Connection, broadcast_id: int, *, after_user_id: int = 0) -> ReadCount:
    """Count how many have read a broadcast, in the part of its audience after `after_user_id`."""
    parameters = {"id": broadcast_id, "after": after_user_id, "chunks": CHUNKS_AT_ONCE}
    row = connection.execute(_COUNT_READS, parameters).one()
    return ReadCount(row.reads, row.last)


def store_count(connection: Connection, broadcast_id: int, *, count: int) -> None:
    """Store how many people have read a broadcast, as it was counted over all parts of the audience."""
    connection.execute(_STORE_COUNT, {"id": broadcast_id, "count": count})


@dataclass(frozen=True, slots=True)
class UnreadPage:
    """People who have not read a broadcast, by id; the next page goes on after `last_user_id` (None: there is none)."""

    people: tuple[UnreadPerson, ...]
    last_user_id: int | None


_PART_END = text(f"WITH {_PART} SELECT max(last_user_id) FROM part")  # noqa: S608 (as above)
_UNREAD = text(f"""
WITH {_PART}, unread AS (
  SELECT p.id, p.app_id FROM (SELECT id, app_id FROM people WHERE id > :after ORDER BY id) p
   CROSS JOIN LATERAL (
    SELECT 1 FROM deliveries d
     WHERE d.user_id = p.id AND d.peer_id = -p.app_id AND d.message_id = :id
       AND d.read_at IS NULL LIMIT 1) has_not_read
   ORDER BY p.id LIMIT :limit
)
SELECT unread.id, account.app_user_id, coalesce(users.name, '') AS name
  FROM unread LEFT JOIN users USING (id)
  LEFT JOIN LATERAL (
    SELECT m.app_user_id FROM mappings m WHERE m.user_id = unread.id AND m.app_id = unread.app_id
     ORDER BY m.app_user_id LIMIT 1) account ON true
 ORDER BY unread.id
""")  # noqa: S608 (as above)


def list_unread(
    connection: Connection,
    broadcast_id: int,
    *,
    after_user_id: int,
    limit: int,
    chunks: int = CHUNKS_AT_ONCE,
) -> UnreadPage:
    """Up to `limit` people after `after_user_id` who have received a broadcast and not read it.

    It looks at a part of the audience only, at all people of the next `chunks`, so a page that is short or empty need not
    be the last: `last_user_id` tells.
    """
    parameters = {"id": broadcast_id, "after": after_user_id, "chunks": chunks}
    end = connection.execute(_PART_END, parameters).scalar()
    if end is None:
        return UnreadPage((), None)
    rows = connection.execute(_UNREAD, parameters | {"limit": limit}).all()
    people = tuple(UnreadPerson(row.id, row.app_user_id, row.name) for row in rows)
    return UnreadPage(people, people[-1].user_id if len(people) == limit else end)
