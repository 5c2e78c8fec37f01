"""A past for benches: broadcasts of earlier months, in partitions of their own."""

from typing import Any

import psycopg

from ops.cli.terminal.progress import count_bar

MONTHS = 6
BATCH = 250_000

# The month `:back` months ago gets its partitions, as `add_message_months` would have made them.
_PARTITION = """
DO $$
DECLARE
  month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => {back});
  suffix text := to_char(month, '"_y"YYYY"m"MM');
  low bigint := message_id_floor(month AT TIME ZONE 'UTC');
  high bigint := message_id_floor((month + interval '1 month') AT TIME ZONE 'UTC');
BEGIN
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF messages FOR VALUES FROM (%s) TO (%s)',
                 'messages' || suffix, low, high);
  EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF deliveries FOR VALUES FROM (%s) TO (%s)',
                 'deliveries' || suffix, low, high);
END $$
"""
_MESSAGE = """
INSERT INTO messages (id, app_id, sent_by_app_id, type, content_type, title, content, is_broadcast,
                      created_at)
SELECT message_id_floor(instant) + %(number)s * 2, 7, 7, 'NOTIFICATION', 'TEXT', '通知', '以前的通知',
       true, instant
  FROM (SELECT date_trunc('month', now()) - make_interval(months => %(back)s)
               + interval '1 day' + make_interval(mins => %(number)s) AS instant) i
RETURNING id, created_at
"""
# Everyone has read most of it: the last one in thirty is unread.
_DELIVERIES = """
INSERT INTO deliveries (user_id, peer_id, message_id, read_at)
SELECT n, -7, %(id)s, CASE WHEN n %% 30 > 0 THEN now() END
  FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
"""
_CONVERSATIONS = """
INSERT INTO conversations (user_id, peer_id, unread_count, last_message_id, updated_at)
SELECT user_id, peer_id, count(*) FILTER (WHERE read_at IS NULL), max(message_id),
       now() - interval '1 day'
  FROM deliveries WHERE user_id BETWEEN %(first)s AND %(last)s GROUP BY user_id, peer_id
"""


def make_history(url: str, *, people: int, deliveries: int) -> None:
    """Insert at least `deliveries` deliveries to persons 1 to `people`: broadcasts of app 7 to everyone, over six past months."""
    rounds = -(-deliveries // people)
    with (
        psycopg.connect(url, autocommit=True) as connection,
        count_bar("deliveries") as show,
    ):
        for back in range(1, MONTHS + 1):
            connection.execute(_PARTITION.format(back=back))  # type: ignore[call-overload,unused-ignore]
        for number in range(rounds):
            place = {"number": number, "back": number % MONTHS + 1}
            id = connection.execute(_MESSAGE, place).fetchone()
            for first, last in split_people(people):
                _fill(connection, {"id": id and id[0], "first": first, "last": last})
                show("deliveries", number * people + last, rounds * people, None)
        for first, last in split_people(people):
            connection.execute(_CONVERSATIONS, {"first": first, "last": last})
            show("conversations", last, people, None)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _fill(connection: psycopg.Connection[Any], parameters: dict[str, Any]) -> None:
    connection.execute(_DELIVERIES, parameters)


def split_people(people: int) -> list[tuple[int, int]]:
    """Persons 1 to `people` in ranges of at most BATCH: the first and the last id of each."""
    return [(first, min(people, first + BATCH - 1)) for first in range(1, people + 1, BATCH)]
