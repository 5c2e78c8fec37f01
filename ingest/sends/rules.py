"""The rules of contract §2: request + caller + what was looked up → Send. Pure.

In two steps, so that nothing is looked up for a request that cannot pass: `needs` judges the request by
itself and says what to look up; `decide` judges it by what was found. Who may (403) comes before what
is wrong (422), and that before what does not exist (404).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest.models.requests import Audience, SendBody
from ingest.sends.audience import Resolved
from storage.model.action_link import is_allowed_target, is_button_url, jump_link
from storage.model.caller import App, AppCaller, Caller, Person
from storage.model.errors import NotAllowed, NotFound, TooLarge, invalid
from storage.model.media import MediaObject, is_full_url, is_web_url
from storage.model.message import MEDIA_TYPES, ContentType, MessageType
from storage.model.send import Send

# Contract §2: so much a caller's clock may be behind, and "now" be late.
_PAST = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a deployment allows."""

    content_limit_bytes: int
    schedule_ahead: timedelta


class RequiredLookups(NamedTuple):
    """What has to be looked up for a send; None is nothing.

    `named_app`: a string id other than the calling app's. `account`: the receiver's name in that app
    (or the calling one). `sender_account`: the sender's in the calling app. `media_key`: the object of a
    media message. `audience`: of a broadcast that names its people.
    """

    receiver_id: int | None = None
    named_app: str | None = None
    account: str | None = None
    sender_account: str | None = None
    media_key: str | None = None
    audience: Audience | None = None


class LookupResult(NamedTuple):
    """What was found; None is "no such thing" where it was needed.

    `is_uploaded`: the object that `media` may be is there. Not asked for what is not the caller's.
    """

    receiver: Person | None = None
    named_app: App | None = None
    sender_id: int | None = None
    media: MediaObject | None = None
    is_uploaded: bool = False
    audience: Resolved | None = None


def needs(body: SendBody, caller: Caller, *, rules: Rules) -> RequiredLookups:
    """Judge the request by itself and say what to look up. Raises NotAllowed, Invalid, TooLarge."""
    _judge_caller(body, caller)
    _judge_receiver(body)
    _judge_content(body, rules)
    _judge_button(body, caller)
    is_app = isinstance(caller, AppCaller)
    return RequiredLookups(
        receiver_id=body.receiver_id,
        named_app=None if is_app else body.app_id,
        account=body.app_user_id,
        sender_account=body.sender_app_user_id if is_app else None,
        media_key=_media_key(body),
        audience=body.audience,
    )


def decide(
    body: SendBody, caller: Caller, facts: LookupResult, *, rules: Rules, now: datetime
) -> Send:
    """The send, of a request that passed `needs`. Raises NotAllowed, NotFound, Invalid."""
    button_app = _button_app(body, caller, facts)
    _judge_facts(body, caller, facts)
    sender_id = facts.sender_id if isinstance(caller, AppCaller) else caller.person.id
    is_personal = body.type is MessageType.MESSAGE and sender_id is not None
    # Contract §2: the app of a person-to-person message is that of its button only.
    shown = caller.app if isinstance(caller, AppCaller) and not is_personal else None
    return Send(
        sender_id=sender_id,
        receiver_id=None if facts.receiver is None else facts.receiver.id,
        app_id=None if shown is None else shown.id,
        app_name=None if shown is None else shown.name,
        sent_by_app_id=caller.app.id if isinstance(caller, AppCaller) else None,
        type=body.type,
        content_type=body.content_type,
        title=body.title,
        content=body.content,
        action_url=_action_url(body, button_app),
        action_text=body.action_text,
        filename=None if facts.media is None else facts.media.filename or None,
        is_broadcast=body.is_broadcast,
        audience=facts.audience.user_ids if facts.audience else None,
        unresolved=facts.audience.unresolved if facts.audience else (),
        send_at=_send_at(body, rules=rules, now=now),
    )


def _judge_caller(body: SendBody, caller: Caller) -> None:
    if isinstance(caller, AppCaller):
        if body.app_id is not None and body.app_id != caller.app.app_id:
            raise NotAllowed("app_id must be the calling app's, as in X-App-Id.")
    elif body.type is not MessageType.MESSAGE or body.is_broadcast:
        raise NotAllowed("Only apps may send notifications and broadcasts.")


def _judge_receiver(body: SendBody) -> None:
    if body.is_broadcast:
        if body.type is not MessageType.NOTIFICATION:
            raise invalid("type", "A broadcast must be a NOTIFICATION.")
        if body.receiver_id is not None or body.app_user_id is not None:
            raise invalid("is_broadcast", "A broadcast must not name a receiver.")
        _judge_audience(body.audience)
    elif body.audience is not None:
        raise invalid("audience", "Goes with is_broadcast only.")
    elif body.receiver_id is not None and body.app_user_id is not None:
        raise invalid("receiver_id", "Name the receiver in one way only.")
    elif body.receiver_id is None and body.app_user_id is None:
        raise invalid("receiver_id", "Name a receiver: receiver_id, or app_id and app_user_id.")
    elif body.app_user_id is not None and body.app_id is None:
        raise invalid("app_id", "app_user_id needs app_id.")


def _judge_audience(audience: Audience | None) -> None:
    if audience is not None and (audience.user_ids is None) == (audience.app_user_ids is None):
        raise invalid("audience", "Name people in one way: user_ids or app_user_ids.")


def _judge_content(body: SendBody, rules: Rules) -> None:
    if body.content_type is ContentType.USER_NOTIFICATION and body.type is not MessageType.MESSAGE:
        raise invalid("content_type", "USER_NOTIFICATION goes with MESSAGE only.")
    # A character is four bytes at most: short texts need not be encoded to be measured.
    limit = rules.content_limit_bytes
    if len(body.content) * 4 > limit and len(body.content.encode()) > limit:
        raise TooLarge(f"The content is longer than {limit} bytes.")
    is_url = body.content_type in MEDIA_TYPES and is_full_url(body.content)
    if is_url and not is_web_url(body.content):
        raise invalid("content", "Must be an object key, or a well-formed http(s) URL.")


def _judge_button(body: SendBody, caller: Caller) -> None:
    if body.action_url is not None:
        if not is_button_url(body.action_url):
            raise invalid("action_url", "Must be an http(s) URL or a jump link.")
        return
    if not body.auto_sso:
        return
    if (
        body.type is not MessageType.NOTIFICATION
        and body.content_type is not ContentType.USER_NOTIFICATION
    ):
        raise invalid("auto_sso", "Goes with NOTIFICATION or USER_NOTIFICATION only.")
    if body.target_url is None:
        raise invalid("target_url", "auto_sso needs target_url.")
    if body.app_id is None and not isinstance(caller, AppCaller):
        raise invalid("app_id", "auto_sso needs an app.")


def _media_key(body: SendBody) -> str | None:
    """The object a media message shows; a full URL (older clients) is nobody's object."""
    if body.content_type not in MEDIA_TYPES or is_full_url(body.content):
        return None
    return body.content


def _judge_facts(body: SendBody, caller: Caller, facts: LookupResult) -> None:
    if not body.is_broadcast and (facts.receiver is None or not facts.receiver.is_active):
        raise NotFound("There is no such receiver.")
    is_app = isinstance(caller, AppCaller)
    if is_app and body.sender_app_user_id is not None and facts.sender_id is None:
        raise NotFound("There is no such sender.")
    if _media_key(body) is None:
        return
    if facts.media is None or facts.media.owner != caller.key:
        raise NotAllowed("The content is not an object that the caller uploaded.")
    if not facts.is_uploaded:
        raise invalid("content", "The object is not uploaded yet.")


def _button_app(body: SendBody, caller: Caller, facts: LookupResult) -> App | None:
    if isinstance(caller, AppCaller):
        return caller.app
    if body.app_id is not None and (facts.named_app is None or not facts.named_app.is_active):
        raise NotFound("There is no such app.")
    return facts.named_app


def _action_url(body: SendBody, app: App | None) -> str | None:
    # An explicit one wins; `needs` saw to it that auto_sso has an app and a target.
    if body.action_url or not body.auto_sso or app is None or body.target_url is None:
        return body.action_url
    if not is_allowed_target(
        body.target_url, callback_url=app.callback_url, redirect_hosts=app.redirect_hosts
    ):
        raise invalid("target_url", "Must be an http(s) URL on a host of the app.")
    return jump_link(app.app_id, body.target_url)


def _send_at(body: SendBody, *, rules: Rules, now: datetime) -> datetime | None:
    if body.send_at is None:
        return None
    if body.send_at <= now:
        if now - body.send_at > _PAST:
            raise invalid("send_at", "Must not be more than a minute in the past.")
        return None
    if body.send_at > now + rules.schedule_ahead:
        raise invalid("send_at", f"Must be within {rules.schedule_ahead.days} days.")
    return body.send_at
