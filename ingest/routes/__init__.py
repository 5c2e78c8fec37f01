"""Every route, one module a subject; `ALL` is the whole list (an architecture test reads it)."""

from ingest.http.endpoint import Endpoint
from ingest.routes import (
    apps,
    broadcasts,
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
    *conversations.ROUTES,
    *broadcasts.ROUTES,
    *people.ROUTES,
    *apps.ROUTES,
    *single_sign_on.ROUTES,
    *media.ROUTES,
    *operations.ROUTES,
    *documents.ROUTES,
)
