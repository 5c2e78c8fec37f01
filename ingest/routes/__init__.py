"""Every route, one module for each subject; `ALL` is the whole list.

Nothing of `console` may be imported here; queries are those of `storage/postgres`.
"""

from ingest.http.endpoint import Endpoint
from ingest.routes import (
    app_events,
    apps,
    broadcasts,
    cards,
    conversations,
    documents,
    media,
    messages,
    operations,
    people,
    single_sign_on,
)

ALL: tuple[Endpoint, ...] = (
    *messages.ROUTES,
    *cards.ROUTES,
    *conversations.ROUTES,
    *broadcasts.ROUTES,
    *people.ROUTES,
    *apps.ROUTES,
    *app_events.ROUTES,
    *single_sign_on.ROUTES,
    *media.ROUTES,
    *operations.ROUTES,
    *documents.ROUTES,
)
