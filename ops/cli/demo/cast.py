"""The people and the apps of `carillon demo`: made if they are not there, and put right if somebody changed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.inbox.demo_people import DEMO_PEOPLE, DemoPerson
from ops.cli.actor import find_actor
from storage.model.caller import ACTIVE, ORDINARY_USER, App
from storage.model.errors import PermanentError
from storage.postgres.acts import apps as app_acts
from storage.postgres.acts import people as people_acts
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import apps, directory
from storage.postgres.people.app_changes import AppChanges
from storage.postgres.people.apps import NewApp, Vault
from storage.postgres.people.mappings_import import NewMapping
from storage.postgres.people.people_import import NewPerson
from storage.valkey.bus import Bus

APP = NewApp(
    app_id="carillon_demo",
    name="演示 Demo",
    callback_url="https://demo.example.com/callback",
    description="Made by `carillon demo`.",
)


@dataclass(frozen=True, slots=True)
class CastApp:
    """An app that is ready to send, and its newest secret."""

    app: App
    secret: bytes

    def __repr__(self) -> str:
        return f"CastApp({self.app.app_id!r})"


@dataclass(frozen=True, slots=True)
class Cast:
    """The people and the apps, by string id, ready to send; `reach` is how many people a broadcast goes to."""

    people: tuple[DemoPerson, ...]
    apps: Mapping[str, CastApp]
    reach: int


def prepare(
    database: BlockingDatabase,
    bus: Bus,
    *,
    vault: Vault,
    people: tuple[DemoPerson, ...] = DEMO_PEOPLE,
    new_apps: Sequence[NewApp] = (APP,),
) -> Cast:
    """Make the people, the apps and everybody's account in each, or put them right. Safe to repeat."""
    rows = [
        NewPerson(one.id, one.mobile, one.name, one.english_name, ACTIVE, ORDINARY_USER)
        for one in people
    ]
    done = database.transaction(people_acts.import_people, find_actor(), people=rows)
    bus.enable(*done.let_in)
    made: dict[str, CastApp] = {}
    for new in new_apps:
        app, secret = _prepare_app(database, new, vault=vault)
        made[new.app_id] = CastApp(app, secret)
        accounts = [
            NewMapping(number, one.account, one.id, f"{one.account}@demo.example.com")
            for number, one in enumerate(people)
        ]
        database.transaction(people_acts.import_mappings, find_actor(), app=app, mappings=accounts)
    return Cast(people, made, reach=database.transaction(directory.count_active))


def _prepare_app(database: BlockingDatabase, new: NewApp, *, vault: Vault) -> tuple[App, bytes]:
    found = database.transaction(apps.find, new.app_id)
    if found is None:
        made, secret = database.transaction(app_acts.add, find_actor(), new=new, vault=vault)
        return made, secret.encode()
    if not found.is_active:
        database.transaction(app_acts.set_active, find_actor(), id=found.id, is_active=True)
    if found.callback_url != new.callback_url:
        changes = AppChanges(callback_url=new.callback_url)
        database.transaction(app_acts.change, find_actor(), id=found.id, changes=changes)
    try:
        return found, database.transaction(apps.find_secrets, found.id, vault=vault)[0]
    except (PermanentError, IndexError):
        # Sealed with a key that is gone. It is the demo's own app: another secret breaks nobody.
        found, secret = database.transaction(
            app_acts.rotate_secret, find_actor(), id=found.id, vault=vault
        )
        return found, secret.encode()
