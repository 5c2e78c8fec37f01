"""Carillon's API for Python: `AppClient` for an app, `PersonClient` for a person, each also asynchronous.

It imports the standard library, httpx and websockets only, and nothing of the server. README.md of clients/python shows
all of it in use.
"""

from carillon_client.app_client import AppClient
from carillon_client.async_app_client import AsyncAppClient
from carillon_client.async_person_client import AsyncPersonClient
from carillon_client.errors import (
    BatchInterruptedError,
    CarillonError,
    ClockSkewError,
    FieldError,
    InvalidError,
    NoAnswerError,
    NotAllowedError,
    NotCarillonError,
    NotFoundError,
    NotSignedInError,
    RefusedError,
    SignedOutError,
    SocketClosedError,
    SocketEndedError,
    TemporaryError,
    WebhookError,
)
from carillon_client.outgoing import AppMessage, CardState, Change, Notice, PersonMessage
from carillon_client.person_client import PersonClient
from carillon_client.redirects import choose_target
from carillon_client.results import (
    AppAccount,
    AppEvent,
    BatchResult,
    BroadcastPreview,
    BroadcastReport,
    Conversation,
    Message,
    Person,
    UnreadPerson,
    UploadedFile,
    VerifiedPerson,
)
from carillon_client.retries import NEVER_AGAIN, USUAL, Retries
from carillon_client.signing import AppSignature
from carillon_client.socket.asynchronous import AsyncPersonSocket
from carillon_client.socket.blocking import PersonSocket
from carillon_client.socket.events import (
    AllRead,
    ConversationRead,
    MessageRecalled,
    MessageUpdated,
    NewMessage,
    PushedMessage,
    Resync,
    SocketEvent,
)
from carillon_client.webhooks import PushedEvent, verify_webhook

__all__ = [
    "NEVER_AGAIN",
    "USUAL",
    "AllRead",
    "AppAccount",
    "AppClient",
    "AppEvent",
    "AppMessage",
    "AppSignature",
    "AsyncAppClient",
    "AsyncPersonClient",
    "AsyncPersonSocket",
    "BatchInterruptedError",
    "BatchResult",
    "BroadcastPreview",
    "BroadcastReport",
    "CardState",
    "CarillonError",
    "Change",
    "ClockSkewError",
    "Conversation",
    "ConversationRead",
    "FieldError",
    "InvalidError",
    "Message",
    "MessageRecalled",
    "MessageUpdated",
    "NewMessage",
    "NoAnswerError",
    "NotAllowedError",
    "NotCarillonError",
    "NotFoundError",
    "NotSignedInError",
    "Notice",
    "Person",
    "PersonClient",
    "PersonMessage",
    "PersonSocket",
    "PushedEvent",
    "PushedMessage",
    "RefusedError",
    "Resync",
    "Retries",
    "SignedOutError",
    "SocketClosedError",
    "SocketEndedError",
    "SocketEvent",
    "TemporaryError",
    "UnreadPerson",
    "UploadedFile",
    "VerifiedPerson",
    "WebhookError",
    "choose_target",
    "verify_webhook",
]
