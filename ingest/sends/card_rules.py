"""The rules of a change to a card: the message + what is to change + what was looked up → its new form (contract §8). Pure.

What may be sent may a card become: the rules and limits are those of sends (`rules.py`).
"""

from typing import Any

from ingest.models.requests import CardBody, SendBody
from ingest.sends.rules import (
    LookupResult,
    SendPolicy,
    build_action_url,
    check_button,
    check_card,
    check_content,
    check_media,
    get_media_key,
)
from storage.model.caller import AppCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import FieldProblem, InConflict, Invalid, TransientError, invalid
from storage.model.message import FIRST_VERSION, MEDIA_TYPES, Message, MessageStatus, is_understood

_NOT_NULL = ("title", "content", "state")


def check_is_changeable(message: Message, status: MessageStatus, body: CardBody) -> None:
    """Raise InConflict for a message that was recalled, and for another version than the one that is expected.

    TransientError for a type of a newer version, as after a roll-back.
    """
    if status is MessageStatus.RECALLED:
        raise InConflict("The message was recalled.", code=ErrorCode.MESSAGE_IS_RECALLED)
    if not is_understood(message):
        raise TransientError("A process of a newer version has to change this message.")
    version = message.version or FIRST_VERSION
    if body.expected_version is not None and body.expected_version != version:
        raise InConflict(f"The message has version {version} now.", code=ErrorCode.VERSION_CHANGED)


def check_change(
    body: CardBody, message: Message, caller: AppCaller, *, policy: SendPolicy
) -> str | None:
    """Check a change by itself; returns the key of the media object to look up, if there is one.

    Raises Invalid and TooLarge.
    """
    _check_fields(body)
    merged = _merge(body, message)
    check_content(merged, policy)
    check_button(merged, caller)
    check_card(merged)
    return get_media_key(merged) if "content" in body.model_fields_set else None


def build_change(
    body: CardBody, message: Message, caller: AppCaller, found: LookupResult
) -> Message:
    """The message's new form, of a change that passed `check_change`. Raises NotAllowed, Invalid."""
    given, merged = body.model_fields_set, _merge(body, message)
    changes: dict[str, Any] = {
        name: getattr(body, name)
        for name in ("title", "content", "action_text", "state", "state_text")
        if name in given
    }
    if "content" in given and message.content_type in MEDIA_TYPES:
        check_media(merged, caller, found)
        changes["filename"] = None if found.media is None else found.media.filename or None
    if "action_url" in given or body.auto_sso:
        changes["action_url"] = build_action_url(merged, caller.app, caller)
    return message._replace(version=(message.version or FIRST_VERSION) + 1, **changes)


def _check_fields(body: CardBody) -> None:
    given = body.model_fields_set
    for name in _NOT_NULL:
        if name in given and getattr(body, name) is None:
            raise invalid(name, "Must not be null.")
    if not given & _CHANGES and not body.auto_sso:
        raise Invalid(FieldProblem(("body",), "Name something to change.", "missing"))


_CHANGES = frozenset({"title", "content", "action_url", "action_text", "state", "state_text"})


def _merge(body: CardBody, message: Message) -> SendBody:
    """What an app would send to have the changed message; the old content stands for none, it was checked before."""
    return SendBody.from_values(
        {
            "type": message.type,
            "content_type": message.content_type,
            "title": message.title if body.title is None else body.title,
            "content": "" if body.content is None else body.content,
            "action_url": body.action_url,
            "auto_sso": body.auto_sso,
            "target_url": body.target_url,
            "ref": message.ref,
            "state": message.state if body.state is None else body.state,
            "state_text": body.state_text,
        }
    )
