"""The tables, as SQLAlchemy Core metadata: one module a subject, and every table can be imported from here.

`migrations/` builds them in the database; a test holds the two together. What is an invariant is a constraint:
`unread_count >= 0` is checked by PostgreSQL, so a counter that would go wrong aborts the transaction that did it.
Nothing but SQLAlchemy is imported into this room: no query, no connection, no model.
"""

from storage.postgres.tables.app_events import (
    app_callback_secrets,
    app_callbacks,
    app_events,
    app_reads,
)
from storage.postgres.tables.broadcasts import broadcast_chunks, broadcasts
from storage.postgres.tables.cards import card_refs, card_versions, todos
from storage.postgres.tables.messages import (
    conversations,
    deliveries,
    messages,
    outbox,
    recounts,
    retention_progress,
    unpublished,
)
from storage.postgres.tables.operations import media_objects, pauses, turns
from storage.postgres.tables.operators import (
    audit,
    console_sessions,
    console_sign_ins,
    operators,
)
from storage.postgres.tables.people import (
    activity_changes,
    app_categories,
    app_redirect_hosts,
    app_secrets,
    apps,
    erasures,
    mappings,
    users,
)
from storage.postgres.tables.sends import (
    accepted,
    failed_sends,
    held_apps,
    held_sends,
    idempotency_keys,
    message_ids,
    message_numbers,
    persist_claims,
    persist_holder,
    scheduled_lives,
)
from storage.postgres.tables.table_parts import metadata

__all__ = [
    "accepted",
    "activity_changes",
    "app_callback_secrets",
    "app_callbacks",
    "app_categories",
    "app_events",
    "app_reads",
    "app_redirect_hosts",
    "app_secrets",
    "apps",
    "audit",
    "broadcast_chunks",
    "broadcasts",
    "card_refs",
    "card_versions",
    "console_sessions",
    "console_sign_ins",
    "conversations",
    "deliveries",
    "erasures",
    "failed_sends",
    "held_apps",
    "held_sends",
    "idempotency_keys",
    "mappings",
    "media_objects",
    "message_ids",
    "message_numbers",
    "messages",
    "metadata",
    "operators",
    "outbox",
    "pauses",
    "persist_claims",
    "persist_holder",
    "recounts",
    "retention_progress",
    "scheduled_lives",
    "todos",
    "turns",
    "unpublished",
    "users",
]
