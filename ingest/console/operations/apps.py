"""Business apps: list them, rotate a secret."""

from typing import Any

from ingest.console.visit import Visit
from storage.model.caller import App
from storage.postgres.acts import apps as acts
from storage.postgres.people import apps


async def list_apps(visit: Visit) -> list[dict[str, Any]]:
    """Every app, active or not."""
    return [_show_app(one) for one in await visit.services.database.query(apps.list_all)]


def _show_app(app: App) -> dict[str, Any]:
    return {
        "id": app.id,
        "app_id": app.app_id,
        "name": app.name,
        "is_active": app.is_active,
        "callback_url": app.callback_url,
        "redirect_hosts": list(app.redirect_hosts),
    }


async def rotate_secret(visit: Visit) -> dict[str, Any]:
    """Make a new secret of an app, shown only this once; the one before stays valid until the next rotation.

    Raises NotFound.
    """
    services = visit.services
    found, secret = await services.database.transaction(
        acts.rotate_secret, visit.actor, id=visit.id, vault=services.vault
    )
    return {"app_id": found.app_id, "secret": secret}
