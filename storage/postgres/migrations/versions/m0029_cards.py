"""Cards that change (contract §8): their state, whose to-dos they are, and what apps call them, who changed them."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

COLUMNS = tuple(
    f"ALTER TABLE {table} ADD COLUMN state TEXT, ADD COLUMN state_text TEXT, ADD COLUMN ref TEXT,"
    " ADD COLUMN version INTEGER"
    for table in ("accepted", "messages")
)
TABLES = (
    """
    CREATE TABLE todos (
        message_id BIGINT NOT NULL,
        user_id BIGINT NOT NULL,
        is_open BOOLEAN NOT NULL,
        CONSTRAINT todos_pkey PRIMARY KEY (message_id, user_id)
    )
    """,
    "CREATE INDEX todos_user_id_is_open_message_id ON todos (user_id, is_open, message_id)",
    """
    CREATE TABLE card_refs (
        app_id INTEGER NOT NULL,
        ref TEXT NOT NULL,
        message_id BIGINT NOT NULL,
        CONSTRAINT card_refs_pkey PRIMARY KEY (app_id, ref, message_id)
    )
    """,
    "CREATE INDEX card_refs_message_id ON card_refs (message_id)",
    """
    CREATE TABLE card_versions (
        message_id BIGINT NOT NULL,
        version INTEGER NOT NULL,
        changed_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
        changed_by TEXT NOT NULL,
        request_id TEXT,
        CONSTRAINT card_versions_pkey PRIMARY KEY (message_id, version)
    )
    """,
    """
    ALTER TABLE broadcasts ADD COLUMN version INTEGER DEFAULT 1 NOT NULL,
      ADD COLUMN told_version INTEGER DEFAULT 1 NOT NULL
    """,
    "CREATE INDEX broadcasts_changed ON broadcasts (id) WHERE version > told_version",
    "ALTER TABLE broadcast_chunks ADD COLUMN told_version INTEGER DEFAULT 1 NOT NULL",
)

# As in m0010; to-dos go with the deliveries.
RECALL = """
CREATE OR REPLACE FUNCTION recall_message(the_id BIGINT, the_users BIGINT[], the_peers BIGINT[]) RETURNS BOOLEAN
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM conversations c
    JOIN unnest(the_users, the_peers) AS u(user_id, peer_id) USING (user_id, peer_id)
   ORDER BY c.user_id, c.peer_id FOR NO KEY UPDATE OF c;
  UPDATE messages SET recalled_at = clock_timestamp() WHERE id = the_id AND recalled_at IS NULL;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  DELETE FROM unpublished WHERE message_id = the_id;
  DELETE FROM todos WHERE message_id = the_id AND user_id = ANY(the_users);
  WITH gone AS (
    DELETE FROM deliveries d USING unnest(the_users, the_peers) AS u(user_id, peer_id)
     WHERE d.user_id = u.user_id AND d.peer_id = u.peer_id AND d.message_id = the_id
    RETURNING d.user_id, d.peer_id, d.read_at IS NULL AS was_unread
  ), now_last AS (
    SELECT gone.*, l.message_id, l.created_at FROM gone LEFT JOIN LATERAL (
      SELECT d.message_id, m.created_at FROM deliveries d JOIN messages m ON m.id = d.message_id
       WHERE d.user_id = gone.user_id AND d.peer_id = gone.peer_id AND d.message_id <> the_id
       ORDER BY d.message_id DESC LIMIT 1) l ON true
  ), emptied AS (
    DELETE FROM conversations c USING now_last n
     WHERE c.user_id = n.user_id AND c.peer_id = n.peer_id AND n.message_id IS NULL
  ), told AS (
    INSERT INTO outbox (event)
    SELECT jsonb_build_object('k', 'x', 'i', the_id, 'p', 0,
             'r', jsonb_agg(jsonb_build_array(peer_id, jsonb_build_array(user_id))))
      FROM gone HAVING count(*) > 0
  )
  UPDATE conversations c
     SET unread_count = c.unread_count - n.was_unread::int,
         last_message_id = n.message_id, updated_at = n.created_at
    FROM now_last n
   WHERE c.user_id = n.user_id AND c.peer_id = n.peer_id AND n.message_id IS NOT NULL;
  RETURN true;
END $$
"""


def upgrade() -> None:
    for statement in (*COLUMNS, *TABLES, RECALL):
        op.get_bind().exec_driver_sql(statement)
