"""The rules of contract §2: request + caller + what was looked up → Send. Pure.

In two steps, so that nothing is looked up for a request that cannot pass: `check_request` looks at the request
alone and says what to look up; `build_send` goes by what was found. A caller that may not (403) is refused
before a wrong field (422), and that before something that does not exist (404).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest.models.requests import Audience, SendBody
from ingest.sends.audience import ResolvedAudience
from storage.model.action_link import (
    build_jump_link,
    is_absolute_url,
    is_allowed_target,
    is_button_url,
    list_allowed_hosts,
)
from storage.model.caller import App, AppCaller, Caller, Person
from storage.model.error_codes import ErrorCode
from storage.model.errors import Invalid, NotAllowed, NotFound, TooLarge, invalid
from storage.model.media import MediaObject, is_full_url, is_web_url
from storage.model.message import MEDIA_TYPES, ContentType, MessageType
from storage.model.send import Send

# Contract §2: a caller's clock may be behind by so much, and its request late.
_PAST = timedelta(seconds=60)
# How many of its hosts an app is told of when it names another.
_SHOWN_HOSTS = 20


@dataclass(frozen=True, slots=True)
class SendPolicy:
    """What a deployment allows: how long a content may be, and how far ahead a send may be scheduled."""

    content_limit_bytes: int
    schedule_ahead: timedelta


class RequiredLookups(NamedTuple):
    """What has to be looked up for a send; None where there is nothing to look up.

    `named_app_id`: the string id of an app that a person's request names. `receiver_account`: the receiver's name
    in that app, or in the calling one. `sender_account`: the sender's name in the calling app. `media_key`: the
    object of a media message. `audience`: of a broadcast that names its people.
    """

    receiver_id: int | None = None
    named_app_id: str | None = None
    receiver_account: str | None = None
    sender_account: str | None = None
    media_key: str | None = None
    audience: Audience | None = None


class LookupResult(NamedTuple):
    """What was found; None where there is no such thing, or nothing was looked up.

    `is_uploaded`: the object `media` is in the store. False without asking for an object that is not the caller's.
    """

    receiver: Person | None = None
    named_app: App | None = None
    sender_id: int | None = None
    media: MediaObject | None = None
    is_uploaded: bool = False
    audience: ResolvedAudience | None = None


def check_request(body: SendBody, caller: Caller, *, policy: SendPolicy) -> RequiredLookups:
    """Check the request by itself and say what to look up. Raises NotAllowed, Invalid, TooLarge."""
    _check_caller(body, caller)
    _check_receiver(body)
    check_content(body, policy)
    check_button(body, caller)
    check_card(body)
    is_app = isinstance(caller, AppCaller)
    return RequiredLookups(
        receiver_id=body.receiver_id,
        named_app_id=None if is_app else body.app_id,
        receiver_account=body.app_user_id,
        sender_account=body.sender_app_user_id if is_app else None,
        media_key=get_media_key(body),
        audience=body.audience,
    )


def build_send(
    body: SendBody, caller: Caller, found: LookupResult, *, policy: SendPolicy, now: datetime
) -> Send:
    """The send, of a request that passed `check_request`. Raises NotAllowed, NotFound, Invalid."""
    button_app = _choose_button_app(body, caller, found)
    _check_receiver_and_sender(body, caller, found)
    check_media(body, caller, found)
    sender_id = found.sender_id if isinstance(caller, AppCaller) else caller.person.id
    is_personal = body.type is MessageType.MESSAGE and sender_id is not None
    # Contract §2: the app of a person-to-person message is that of its button only.
    shown = caller.app if isinstance(caller, AppCaller) and not is_personal else None
    return Send(
        sender_id=sender_id,
        receiver_id=None if found.receiver is None else found.receiver.id,
        app_id=None if shown is None else shown.id,
        app_name=None if shown is None else shown.name,
        sent_by_app_id=caller.app.id if isinstance(caller, AppCaller) else None,
        type=body.type,
        content_type=body.content_type,
        title=body.title,
        content=body.content,
        action_url=build_action_url(body, button_app, caller),
        action_text=body.action_text,
        filename=None if found.media is None else found.media.filename or None,
        client_ref=body.client_ref,
        state=body.state,
        state_text=body.state_text,
        ref=body.ref,
        is_broadcast=body.is_broadcast,
        audience=found.audience.user_ids if found.audience else None,
        unresolved=found.audience.unresolved if found.audience else (),
        send_at=_choose_send_at(body, policy=policy, now=now),
    )


def _check_caller(body: SendBody, caller: Caller) -> None:
    if isinstance(caller, AppCaller):
        if body.app_id is not None and body.app_id != caller.app.app_id:
            raise NotAllowed(
                "app_id must be the calling app's, as in X-App-Id.", code=ErrorCode.OTHER_APP
            )
    elif body.type is not MessageType.MESSAGE or body.is_broadcast:
        raise NotAllowed(
            "Only apps may send notifications and broadcasts.", code=ErrorCode.FOR_APPS_ONLY
        )
    elif _list_card_fields(body):
        raise NotAllowed(
            "Only apps may send cards with a state or a ref.", code=ErrorCode.FOR_APPS_ONLY
        )


def _check_receiver(body: SendBody) -> None:
    if body.is_broadcast:
        if body.type is not MessageType.NOTIFICATION:
            raise invalid("type", "A broadcast must be a NOTIFICATION.")
        if body.receiver_id is not None or body.app_user_id is not None:
            raise invalid("is_broadcast", "A broadcast must not name a receiver.")
        _check_audience(body.audience)
    elif body.audience is not None:
        raise invalid("audience", "Goes with is_broadcast only.")
    elif body.receiver_id is not None and body.app_user_id is not None:
        raise invalid("receiver_id", "Name the receiver in one way only.")
    elif body.receiver_id is None and body.app_user_id is None:
        raise invalid("receiver_id", "Name a receiver: receiver_id, or app_id and app_user_id.")
    elif body.app_user_id is not None and body.app_id is None:
        raise invalid("app_id", "app_user_id needs app_id.")


def _check_audience(audience: Audience | None) -> None:
    if audience is not None and (audience.user_ids is None) == (audience.app_user_ids is None):
        raise invalid("audience", "Name people in one way: user_ids or app_user_ids.")


def check_content(body: SendBody, policy: SendPolicy) -> None:
    """Raise Invalid or TooLarge unless a message of this type may have this content."""
    if body.content_type is ContentType.USER_NOTIFICATION and body.type is not MessageType.MESSAGE:
        raise invalid("content_type", "USER_NOTIFICATION goes with MESSAGE only.")
    # A character is four bytes at most: short texts need not be encoded to be measured.
    limit = policy.content_limit_bytes
    if len(body.content) * 4 > limit and len(body.content.encode()) > limit:
        raise TooLarge(
            f"The content is longer than {limit} bytes.", code=ErrorCode.CONTENT_TOO_LARGE
        )
    is_url = body.content_type in MEDIA_TYPES and is_full_url(body.content)
    if is_url and not is_web_url(body.content):
        raise invalid("content", "Must be an object key, or a well-formed http(s) URL.")


def check_button(body: SendBody, caller: Caller) -> None:
    """Raise Invalid unless the button, if there is one, can be made."""
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


def _list_card_fields(body: SendBody) -> list[str]:
    return [name for name in ("ref", "state", "state_text") if getattr(body, name) is not None]


def check_card(body: SendBody) -> None:
    """Raise Invalid if something that is no card has what only cards have (contract §8)."""
    is_card = (
        body.type is MessageType.NOTIFICATION or body.content_type is ContentType.USER_NOTIFICATION
    )
    if not is_card and (named := _list_card_fields(body)):
        raise invalid(named[0], "Goes with NOTIFICATION or USER_NOTIFICATION only.")


def get_media_key(body: SendBody) -> str | None:
    """The key of the object that a media message shows; None for a full URL (older clients)."""
    if body.content_type not in MEDIA_TYPES or is_full_url(body.content):
        return None
    return body.content


def _check_receiver_and_sender(body: SendBody, caller: Caller, found: LookupResult) -> None:
    if not body.is_broadcast and (found.receiver is None or not found.receiver.is_active):
        is_mapped = body.app_user_id is None or found.receiver is not None
        code = ErrorCode.UNKNOWN_RECEIVER if is_mapped else ErrorCode.NO_MAPPING
        raise NotFound("There is no such receiver.", code=code)
    is_app = isinstance(caller, AppCaller)
    if is_app and body.sender_app_user_id is not None and found.sender_id is None:
        raise NotFound("There is no such sender.", code=ErrorCode.UNKNOWN_SENDER)


def check_media(body: SendBody, caller: Caller, found: LookupResult) -> None:
    """Raise NotAllowed or Invalid unless the object that is shown, if there is one, is the caller's and uploaded."""
    if get_media_key(body) is None:
        return
    if found.media is None or found.media.owner != caller.key:
        raise NotAllowed(
            "The content is not an object that the caller uploaded.", code=ErrorCode.NOT_YOUR_UPLOAD
        )
    if not found.is_uploaded:
        raise invalid("content", "The object is not uploaded yet.", code=ErrorCode.NOT_UPLOADED)


def _choose_button_app(body: SendBody, caller: Caller, found: LookupResult) -> App | None:
    if isinstance(caller, AppCaller):
        return caller.app
    if body.app_id is not None and (found.named_app is None or not found.named_app.is_active):
        raise NotFound("There is no such app.", code=ErrorCode.UNKNOWN_APP)
    return found.named_app


def build_action_url(body: SendBody, app: App | None, caller: Caller) -> str | None:
    """Where the button leads; None without one. Raises Invalid for a target that the app has not registered."""
    # An explicit URL wins; `check_request` saw to it that auto_sso has an app and a target.
    if body.action_url or not body.auto_sso or app is None or body.target_url is None:
        return body.action_url
    if not is_allowed_target(
        body.target_url, callback_url=app.callback_url, redirect_hosts=app.redirect_hosts
    ):
        raise _refuse_target(body.target_url, app, caller)
    return build_jump_link(app.app_id, body.target_url)


def _refuse_target(target_url: str, app: App, caller: Caller) -> Invalid:
    """Which hosts an app has is its own business: a person learns only that this is none of them."""
    if not is_absolute_url(target_url):
        return invalid("target_url", "Must be a well-formed absolute http(s) URL.")
    msg = "The app allows no button to this host."
    if isinstance(caller, AppCaller):
        hosts = list_allowed_hosts(callback_url=app.callback_url, redirect_hosts=app.redirect_hosts)
        shown = ", ".join(hosts[:_SHOWN_HOSTS]) + (", …" if len(hosts) > _SHOWN_HOSTS else "")
        msg += (
            f" It allows: {shown}. An operator adds one: carillon app update {app.app_id} "
            "--add-host HOST."
        )
    return invalid("target_url", msg, code=ErrorCode.HOST_NOT_ALLOWED)


def _choose_send_at(body: SendBody, *, policy: SendPolicy, now: datetime) -> datetime | None:
    if body.send_at is None:
        return None
    if body.send_at <= now:
        if now - body.send_at > _PAST:
            raise invalid(
                "send_at",
                "Must not be more than a minute in the past.",
                code=ErrorCode.SEND_AT_PAST,
            )
        return None
    if body.send_at > now + policy.schedule_ahead:
        raise invalid("send_at", f"Must be within {policy.schedule_ahead.days} days.")
    return body.send_at
