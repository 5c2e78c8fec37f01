"""`carillon cards`: look at a card and its versions, or change what an app has sent.

It works on the record: it needs no app's secret and no running API, and works for apps that are disabled. The rules are
those of PATCH (contract §8), which `ingest/sends/card_rules.py` holds.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import click
from pydantic import ValidationError

from ingest.http.errors import translate_validation_error
from ingest.models.requests import CardBody
from ingest.sends.card_rules import build_change, check_change, check_is_changeable
from ingest.sends.cards import MESSAGES_OF_A_REF
from ingest.sends.rules import LookupResult, SendPolicy
from ingest.settings import IngestSettings
from ops.cli import read_environment
from ops.cli.actor import find_actor
from ops.cli.servers import open_database
from ops.cli.terminal.printing import say, say_json
from storage.broker.doorbell import Doorbell
from storage.broker.queues import BROADCASTS, SENDS, QueueSettings
from storage.model.caller import AppCaller
from storage.model.errors import FieldProblem, Invalid, NotAllowed, NotFound, TransientError
from storage.model.message import FIRST_VERSION, MEDIA_TYPES, CardState, Message, MessageStatus
from storage.postgres.acts import cards as acts
from storage.postgres.database import BlockingDatabase
from storage.postgres.messages import cards as record
from storage.postgres.messages import lookup
from storage.postgres.messages.cards import CardChange, HasMovedOn
from storage.postgres.messages.lookup import FoundMessage
from storage.postgres.people import apps
from storage.settings import load

# How often what is to be changed may be changed by others while it is looked at, as at the API.
_LOOKS = 10
# What an empty text takes away.
_MAY_BE_TAKEN_AWAY = frozenset({"state_text", "action_url", "action_text"})


@click.group()
def cards() -> None:
    """Cards that apps have sent: show one with its versions, change them."""


@cards.command()
@click.argument("id", type=int)
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1_000))
def show(*, id: int, limit: int) -> None:
    """Its app, its state and who made which version when, newest first, as JSON; not what was written in it."""
    with open_database() as database:
        found = _find(database, id)
        versions = database.transaction(record.list_versions, id, limit=limit)
    message = found.message
    told = {
        "id": message.id,
        "app_id": message.app_id,
        "app_name": message.app_name,
        "is_broadcast": message.is_broadcast,
        "receiver_id": message.receiver_id,
        "status": found.status,
        "ref": message.ref,
        "state": message.state,
        "state_text": message.state_text,
        "version": message.version or FIRST_VERSION,
        "created_at": message.created_at.isoformat(),
    }
    changes = [asdict(one) | {"changed_at": one.changed_at.isoformat()} for one in versions]
    say_json(told | {"versions": changes})


@cards.command()
@click.argument("id", type=int, required=False)
@click.option("--ref", help="Instead of an id: all cards that the app calls by this name ...")
@click.option("--app", "app_id", metavar="APP_ID", help="... of this app.")
@click.option("--title")
@click.option("--content")
@click.option("--state", type=click.Choice([state.value for state in CardState]))
@click.option("--state-text", help="The state in words; an empty one takes it away.")
@click.option("--action-url", help="Where the button leads; an empty one takes it away.")
@click.option("--action-text", help="What the button says; an empty one takes it away.")
@click.option("--expected-version", type=int, help="Change this version only.")
def update(*, id: int | None, ref: str | None, app_id: str | None, **options: Any) -> None:
    """Change a card, or all of one matter; everyone who has it is shown the new form."""
    if (id is None) == (ref is None) or (ref is None) != (app_id is None):
        raise click.UsageError("Say which: ID, or --ref REF --app APP_ID.")
    with _name_fields(), open_database() as database:
        body = _make_body(options)
        for _ in range(_LOOKS):
            caller, found = _look_up(database, id=id, ref=ref, app_id=app_id)
            changes = [_make_change(body, one, caller) for one in found]
            try:
                database.transaction(acts.change_cards, find_actor(), changes=changes, ref=ref)
            except HasMovedOn:
                continue
            break
        else:
            raise TransientError("The cards are being changed by others.")
    doorbell = Doorbell(load(QueueSettings, read_environment()))
    for queue in (SENDS, BROADCASTS):
        doorbell.ring(queue)
    doorbell.close()
    if id is None:
        say(f"{len(changes)} are changed.")
    else:
        say(f"It has version {changes[0].message.version} now.")


def _make_body(options: dict[str, Any]) -> CardBody:
    given = {name: value for name, value in options.items() if value is not None}
    taken = {name: None for name in _MAY_BE_TAKEN_AWAY if given.get(name) == ""}
    try:
        return CardBody.from_values(given | taken)
    except ValidationError as error:
        raise translate_validation_error(error, where=lambda _: "body") from error


def _look_up(
    database: BlockingDatabase, *, id: int | None, ref: str | None, app_id: str | None
) -> tuple[AppCaller, list[FoundMessage]]:
    """What is to be changed, and the app that has sent it, in whose name the rules are asked. Raises NotFound, Invalid."""
    if ref is not None and app_id is not None:
        return _look_up_by_ref(database, ref, app_id)
    if id is None:
        raise AssertionError("It is one or the other.")
    found = _find(database, id)
    sender = found.message.sent_by_app_id
    app = None if sender is None else database.transaction(apps.find_by_id, sender)
    if app is None:
        raise NotFound(f"No app has sent the message {id}.")
    return AppCaller(app), [found]


def _look_up_by_ref(
    database: BlockingDatabase, ref: str, app_id: str
) -> tuple[AppCaller, list[FoundMessage]]:
    app = database.transaction(apps.find, app_id)
    if app is None:
        raise NotFound(f"There is no app {app_id}.")
    ids = database.transaction(record.list_by_ref, app.id, ref=ref, limit=MESSAGES_OF_A_REF + 1)
    if len(ids) > MESSAGES_OF_A_REF:
        raise Invalid(FieldProblem(("ref",), f"More than {MESSAGES_OF_A_REF} messages have it."))
    own = database.transaction(record.find_own, ids, app.id)
    changeable = [one for one in own if one.status is not MessageStatus.RECALLED]
    if not changeable:
        raise NotFound(f"{app_id} has sent no card with the ref {ref}, or all were recalled.")
    return AppCaller(app), changeable


def _make_change(body: CardBody, found: FoundMessage, caller: AppCaller) -> CardChange:
    """The message's new form. Raises Invalid, InConflict, NotAllowed, TooLarge."""
    message: Message = found.message
    check_is_changeable(message, found.status, body)
    if message.content_type in MEDIA_TYPES:
        # Its people are told an address of the file, which only a process with the media store's key can make.
        raise NotAllowed(f"The content of {message.id} is a file: only its app can change it.")
    settings = load(IngestSettings, read_environment())
    policy = SendPolicy(settings.content_limit_bytes, settings.schedule_ahead)
    check_change(body, message, caller, policy=policy)
    changed = build_change(body, message, caller, LookupResult())
    return CardChange(changed, changed.content)


def _find(database: BlockingDatabase, id: int) -> FoundMessage:
    found = database.transaction(lookup.find_message, id)
    if found is None:
        raise NotFound(f"There is no message {id}.")
    return found


@contextmanager
def _name_fields() -> Iterator[None]:
    """An Invalid raised within says which field is meant, as the API's answer does."""
    try:
        yield
    except Invalid as error:
        problems = [replace(one, msg=f"{one.loc[-1]}: {one.msg}") for one in error.problems]
        raise Invalid(*problems, code=error.code) from error
