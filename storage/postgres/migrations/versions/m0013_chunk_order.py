"""Which people a chunk is about; failing chunks are tried again; lists in the order of acceptance."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

CHUNKS = """
ALTER TABLE broadcast_chunks ADD COLUMN first_user_id BIGINT;
UPDATE broadcast_chunks SET first_user_id = user_ids[1];
ALTER TABLE broadcast_chunks ALTER COLUMN first_user_id SET NOT NULL;

DROP INDEX broadcast_chunks_open;
CREATE INDEX broadcast_chunks_open ON broadcast_chunks (app_id, broadcast_id, number)
 WHERE state IN ('waiting', 'expanded');
CREATE INDEX broadcasts_app_id_accepted_at ON broadcasts (app_id, accepted_at, id);
CREATE INDEX broadcasts_accepted_at ON broadcasts (accepted_at, id);
DROP INDEX broadcasts_app_id_id;
CREATE INDEX broadcast_chunks_failing ON broadcast_chunks (broadcast_id) WHERE error IS NOT NULL;

-- What was only resting when the version changed has an error; what was given up in a broadcast that is
-- not over yet would keep it open for ever.
UPDATE broadcast_chunks SET error = NULL WHERE state IN ('expanded', 'published', 'taken_back', 'recalled');
UPDATE broadcast_chunks c SET state = 'waiting' FROM broadcasts b
 WHERE b.id = c.broadcast_id AND b.status = 'EXPANDING' AND c.state = 'failed';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(CHUNKS)
