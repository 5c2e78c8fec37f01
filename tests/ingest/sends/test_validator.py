"""What is looked up for a send, and what is not; the rules that go by it are tested in `test_rules.py` (contract §2)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from ingest.metrics import IngestMetrics
from ingest.models.requests import SendBody
from ingest.sends.rules import SendPolicy
from ingest.sends.validator import SendValidator
from ingest.services import Services, open_services
from storage.media.store import make_key
from storage.model.caller import App, AppCaller, Caller, Person, UserCaller
from storage.model.errors import Invalid, NotAllowed, NotFound
from storage.model.media import UploadInstructions
from storage.model.send import Send
from storage.postgres import media_objects

POLICY = SendPolicy(content_limit_bytes=1000, schedule_ahead=timedelta(days=90))
LETTER: dict[str, Any] = {"type": "MESSAGE", "title": "t", "content": "c"}
NOTICE = LETTER | {"type": "NOTIFICATION"}
PERSON = UserCaller(
    Person(id=1, name="p1", mobile="1", english_name="", status="ACTIVE", role="ORDINARY_USER", is_deleted=False)
)  # fmt: skip


class AskedStore:
    """A media store that has every object and notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def has_object(self, key: str) -> bool:
        """Yes."""
        self.asked.append(key)
        return True

    def prepare(self) -> None:
        """Nothing to prepare."""

    def upload(self, key: str, *, content_type: str, size: int) -> UploadInstructions:
        """Nobody uploads here."""
        raise NotImplementedError

    def url(self, key: str, *, filename: str = "") -> str:
        """Nobody reads here."""
        raise NotImplementedError

    def delete(self, key: str) -> None:
        """Nobody deletes here."""
        raise NotImplementedError


def run(
    environ: Mapping[str, str],
    story: Callable[[SendValidator, AppCaller], Awaitable[None]],
    *,
    store: AskedStore | None = None,
) -> None:
    """Tell `story` to a validator over the record of these settings, and to the app oa."""

    async def tell() -> None:
        async with open_services(environ, metrics=IngestMetrics()) as services:
            await story(make_validator(services, store), AppCaller(await find_app(services)))

    asyncio.run(tell())


def make_validator(services: Services, store: AskedStore | None) -> SendValidator:
    """A validator as a process has it."""
    return SendValidator(
        services.lookups,
        services.list_slots,
        media=store or services.backends.media,
        policy=POLICY,
        clock=lambda: datetime.now(UTC),
    )


async def find_app(services: Services) -> App:
    """The app oa."""
    known = await services.lookups.apps.find("oa")
    assert known is not None
    return known.app


async def validate(validator: SendValidator, caller: Caller, fields: dict[str, Any]) -> Send:
    """The send of a request with these fields."""
    return await validator.validate(SendBody.from_values(fields), caller)


def test_an_apps_accounts_are_its_own(own_environ: Mapping[str, str]) -> None:
    """Receiver and sender that an app names are looked up in that app: li.si of another is nobody there."""

    async def story(validator: SendValidator, oa: AppCaller) -> None:
        named = LETTER | {"app_id": "oa", "app_user_id": "lisi", "sender_app_user_id": "zhangsan"}
        sent = await validate(validator, oa, named)
        assert (sent.receiver_id, sent.sender_id) == (2, 3)
        with pytest.raises(NotFound):
            await validate(validator, oa, named | {"app_user_id": "li.si"})

    run(own_environ, story)


def test_a_persons_request_names_the_app_of_the_receivers_account(
    own_environ: Mapping[str, str],
) -> None:
    """A person writes to an account of any active app; of an app that is none, or is closed, there are no accounts."""

    async def story(validator: SendValidator, _oa: AppCaller) -> None:
        sent = await validate(validator, PERSON, LETTER | {"app_id": "crm", "app_user_id": "li.si"})
        assert (sent.receiver_id, sent.sender_id, sent.app_id) == (2, 1, None)
        for app_id in ("closed", "nowhere"):
            with pytest.raises(NotFound):
                await validate(validator, PERSON, LETTER | {"app_id": app_id, "app_user_id": "x"})

    run(own_environ, story)


def test_the_name_a_person_gives_as_sender_is_not_looked_up(own_environ: Mapping[str, str]) -> None:
    """A person's call ignores `sender_app_user_id`: the sender is the person who calls."""

    async def story(validator: SendValidator, _oa: AppCaller) -> None:
        fields = LETTER | {"receiver_id": 2, "app_id": "oa", "sender_app_user_id": "zhangsan"}
        assert (await validate(validator, PERSON, fields)).sender_id == 1

    run(own_environ, story)


@pytest.mark.parametrize("receiver", [8, 9, 404])
def test_nobody_receives_who_is_not_there(own_environ: Mapping[str, str], receiver: int) -> None:
    """A receiver who is disabled, deleted or unknown is refused by the same error."""

    async def story(validator: SendValidator, _oa: AppCaller) -> None:
        with pytest.raises(NotFound, match=r"There is no such receiver\."):
            await validate(validator, PERSON, LETTER | {"receiver_id": receiver})

    run(own_environ, story)


def test_the_store_is_asked_only_for_an_object_of_the_callers(
    own_environ: Mapping[str, str], engine: Engine
) -> None:
    """A person's own object is looked for in the store; another's, an unknown one's and no key's is refused unasked."""
    keys = {owner: make_key(owner, "a.png") for owner in ("user:1", "user:2")}
    with engine.begin() as connection:
        for owner, key in keys.items():
            media_objects.record_upload(
                connection, key, owner=owner, content_type="image/png", filename="a.png", size=1
            )
    store, unknown = AskedStore(), make_key("user:1", "b.png")

    async def story(validator: SendValidator, _oa: AppCaller) -> None:
        picture = LETTER | {"receiver_id": 2, "content_type": "IMAGE"}
        sent = await validate(validator, PERSON, picture | {"content": keys["user:1"]})
        assert sent.filename == "a.png"
        for key in (keys["user:2"], unknown, "no key"):
            with pytest.raises(NotAllowed):
                await validate(validator, PERSON, picture | {"content": key})

    run(own_environ, story, store=store)
    assert store.asked == [keys["user:1"]]


def test_an_audience_is_the_people_who_are_there_now(own_environ: Mapping[str, str]) -> None:
    """Names of an audience lead to the app's own people, each once and in order; the rest is told as unresolved."""

    async def story(validator: SendValidator, oa: AppCaller) -> None:
        names = ["zhangsan", "li.si", "lisi", "gone", "lisi"]
        fields = NOTICE | {"is_broadcast": True, "audience": {"app_user_ids": names}}
        sent = await validate(validator, oa, fields)
        assert (sent.audience, sent.unresolved) == ((2, 3), ("li.si", "gone"))

    run(own_environ, story)


def test_a_request_that_cannot_pass_is_refused_before_anything_is_looked_up(
    own_environ: Mapping[str, str],
) -> None:
    """A wrong request of a wrong caller is refused for the caller first, then for the field, then for what is not there."""

    async def story(validator: SendValidator, oa: AppCaller) -> None:
        nobody = NOTICE | {"app_id": "nowhere", "app_user_id": "nobody"}
        with pytest.raises(NotAllowed):
            await validate(validator, PERSON, nobody)
        with pytest.raises(Invalid):
            await validate(validator, oa, NOTICE | {"receiver_id": 404, "app_user_id": "nobody"})

    run(own_environ, story)
