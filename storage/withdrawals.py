"""Taking a send back that is not in any history yet, or never will be: from the intake, or a dead letter."""

from sqlalchemy import Connection, text

from storage.model.broadcast import BroadcastStatus

# It goes to `messages` as recalled, and to `broadcasts` if it is one, so that it can still be asked
# after. A holder of the persist lane that has the row in hand is waited for, and then this finds
# nothing.
_WITHDRAW = """
WITH gone AS ({gone}), new_broadcast AS (
  INSERT INTO broadcasts (id, app_id, status, audience, unresolved, created_at, accepted_at, finished_at)
  SELECT id, sent_by_app_id, :status, audience, unresolved, created_at,
         coalesce(accepted_at, created_at), clock_timestamp()
    FROM gone WHERE is_broadcast
)
INSERT INTO messages (id, sender_id, receiver_id, app_id, sent_by_app_id, type, content_type, title,
                      content, action_url, action_text, is_broadcast, created_at, filename,
                      recalled_at)
SELECT id, sender_id, receiver_id, app_id, sent_by_app_id, type, content_type, title,
       content, action_url, action_text, is_broadcast, created_at, filename, clock_timestamp()
  FROM gone
"""
_WITHDRAW_ACCEPTED = text(_WITHDRAW.format(gone="DELETE FROM accepted WHERE id = :id RETURNING *"))
_WITHDRAW_FAILED = text(
    _WITHDRAW.format(
        gone="""DELETE FROM failed_sends WHERE id = :id
                RETURNING (jsonb_populate_record(NULL::accepted, payload)).*"""
    )
)


def withdraw(
    connection: Connection, id: int, *, status: BroadcastStatus = BroadcastStatus.RECALLED
) -> bool:
    """See to it that an accepted, scheduled or failed send is never delivered; False if it is none.

    `status` is what its broadcast is then, if it is one.
    """
    parameters = {"id": id, "status": status}
    return any(
        connection.execute(statement, parameters).rowcount
        for statement in (_WITHDRAW_ACCEPTED, _WITHDRAW_FAILED)
    )
