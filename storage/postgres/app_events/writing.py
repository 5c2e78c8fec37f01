"""Parts of statements that write an event to an app, in the statement that causes it (docs/decisions/0042-events-to-apps.md).

Nothing is written for an app that did not ask for events of that type. What is written has no number yet: `numbering.py`.
"""

from storage.model.app_event import AppEventType


def insert_event(*, source: str, app_id: str, type: str, data: str) -> str:
    """An INSERT of one event for each row of `source` (a table expression) whose app asked for this type.

    `app_id`, `type` and `data` are SQL expressions on its columns: the app's integer id, an `AppEventType`, a jsonb
    object. Instants in it are milliseconds, in fields named `<name>_ms`. By the primary key of `app_callbacks`.
    """
    return f"""
INSERT INTO app_events (app_id, type, data)
SELECT callback.app_id, {type}, {data}
  FROM {source} JOIN app_callbacks callback ON callback.app_id = {app_id} AND {type} = ANY(callback.events)
"""  # noqa: S608 (expressions of our own statements)


def insert_broadcast_event(source: str, type: AppEventType) -> str:
    """An INSERT of an event of this type for each row of `source`, which has `id`, `app_id` and `total` of a broadcast."""
    return insert_event(
        source=source,
        app_id=f"{source}.app_id",
        type=f"'{type}'",
        data=f"jsonb_build_object('broadcast_id', {source}.id, 'total', {source}.total)",
    )


# The reads of messages that apps sent, of the rows `marked` (peer_id, message_id, read_at) of the person :user_id. The
# message itself is looked up only where the conversation does not say which app it is, and only if some app asked.
INSERT_READS = """
INSERT INTO app_reads (app_id, message_id, user_id, read_at)
SELECT callback.app_id, marked.message_id, CAST(:user_id AS bigint), marked.read_at
  FROM (SELECT app_id FROM app_callbacks WHERE 'message.read' = ANY(events)) callback
  JOIN marked ON callback.app_id = CASE WHEN marked.peer_id < 0 THEN -marked.peer_id
                                        ELSE find_sending_app(marked.message_id) END
"""
