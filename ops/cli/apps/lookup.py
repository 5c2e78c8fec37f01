"""The app that a command names."""

from storage.model.caller import App
from storage.model.errors import NotFound
from storage.postgres.database import BlockingDatabase
from storage.postgres.people import apps


def find_app(database: BlockingDatabase, app_id: str) -> App:
    """The app with this string id; raises NotFound."""
    found = database.transaction(apps.find, app_id)
    if found is None:
        raise NotFound(f"There is no app {app_id}.")
    return found
