"""The people and the app of `carillon demo`: made if they are not there, and put right if somebody changed them."""

from dataclasses import dataclass

from ingest.inbox.demo_people import DEMO_PEOPLE
from ops.cli.actor import find_actor
from storage.model.caller import ACTIVE, ORDINARY_USER, App
from storage.model.errors import PermanentError
from storage.postgres.acts import apps as app_acts
from storage.postgres.acts import people as people_acts
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import apps, directory
from storage.postgres.people.apps import NewApp, Vault
from storage.postgres.people.mappings_import import NewMapping
from storage.postgres.people.people_import import NewPerson
from storage.valkey.bus import Bus

MEI, LIN, TAO = PEOPLE = tuple(
    NewPerson(one.id, one.mobile, one.name, one.english_name, ACTIVE, ORDINARY_USER)
    for one in DEMO_PEOPLE
)
APP = NewApp(
    app_id="carillon_demo",
    name="演示 Demo",
    callback_url="https://demo.example.com/callback",
    description="Made by `carillon demo`.",
)


@dataclass(frozen=True, slots=True)
class Cast:
    """The people and the app, ready to send; `reach` is how many people a broadcast goes to."""

    people: tuple[NewPerson, ...]
    app: App
    secret: bytes
    reach: int


def prepare(database: BlockingDatabase, bus: Bus, *, vault: Vault) -> Cast:
    """Make the people, the app and their accounts in it, or put them right. Safe to repeat."""
    done = database.transaction(people_acts.import_people, find_actor(), people=PEOPLE)
    bus.enable(*done.let_in)
    app, secret = _prepare_app(database, vault)
    accounts = [
        NewMapping(number, one.account, one.id, f"{one.account}@demo.example.com")
        for number, one in enumerate(DEMO_PEOPLE)
    ]
    database.transaction(people_acts.import_mappings, find_actor(), app=app, mappings=accounts)
    return Cast(PEOPLE, app, secret, reach=database.transaction(directory.count_active))


def _prepare_app(database: BlockingDatabase, vault: Vault) -> tuple[App, bytes]:
    found = database.transaction(apps.find, APP.app_id)
    if found is None:
        made, secret = database.transaction(app_acts.add, find_actor(), new=APP, vault=vault)
        return made, secret.encode()
    if not found.is_active:
        database.transaction(app_acts.set_active, find_actor(), id=found.id, is_active=True)
    try:
        return found, database.transaction(apps.find_secrets, found.id, vault=vault)[0]
    except (PermanentError, IndexError):
        # Sealed with a key that is gone. It is the demo's own app: another secret breaks nobody.
        found, secret = database.transaction(
            app_acts.rotate_secret, find_actor(), id=found.id, vault=vault
        )
        return found, secret.encode()
