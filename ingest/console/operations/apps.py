"""Business apps: list them, rotate a secret."""

import logging
from typing import Any

from ingest.services import Services
from storage.model.caller import App
from storage.model.errors import NotFound
from storage.postgres.people import apps

_log = logging.getLogger(__name__)


async def list_apps(services: Services) -> list[dict[str, Any]]:
    """Every app, active or not."""
    return [_show_app(one) for one in await services.database.query(apps.list_all)]


def _show_app(app: App) -> dict[str, Any]:
    return {
        "id": app.id,
        "app_id": app.app_id,
        "name": app.name,
        "is_active": app.is_active,
        "callback_url": app.callback_url,
        "redirect_hosts": list(app.redirect_hosts),
    }


async def rotate_secret(services: Services, id: int) -> dict[str, Any]:
    """Make a new secret of an app, shown only this once; the one before stays valid until the next rotation.

    Raises NotFound.
    """
    found = await services.database.query(apps.find_by_id, id)
    if found is None:
        raise NotFound("There is no such app.")
    secret = await services.database.transaction(apps.rotate_secret, id, vault=services.vault)
    _log.info("The operator rotated the secret of app %s.", found.app_id)
    return {"app_id": found.app_id, "secret": secret}
