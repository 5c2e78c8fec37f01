"""Business apps: list them, let their calls in and keep them out, rotate a secret."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ingest.console.operations import show_instant
from ingest.console.visit import Visit
from storage.model.caller import App
from storage.postgres.acts import apps as acts
from storage.postgres.people import app_secrets, apps
from storage.postgres.people.app_secrets import LiveSecret
from storage.postgres.sends.holdings import count_holdings


async def list_apps(visit: Visit) -> list[dict[str, Any]]:
    """Every app, active or not; of its secrets when they were made, and when they end."""
    database = visit.services.database
    found, live = await asyncio.gather(
        database.query(apps.list_all), database.query(app_secrets.list_live)
    )
    return [_show_app(one, live.get(one.id, [])) for one in found]


def _show_app(app: App, live: Iterable[LiveSecret]) -> dict[str, Any]:
    return {
        "id": app.id,
        "app_id": app.app_id,
        "name": app.name,
        "is_active": app.is_active,
        "callback_url": app.callback_url,
        "redirect_hosts": list(app.redirect_hosts),
        "secrets": [
            {"created_at": show_instant(one.created_at), "ends_at": show_instant(one.ends_at)}
            for one in live
        ],
    }


async def disable(visit: Visit) -> dict[str, Any]:
    """Refuse an app's calls, and hold what it has under way: the answer says how much that is. Raises NotFound."""
    database = visit.services.database
    await database.transaction(acts.set_active, visit.actor, id=visit.id, is_active=False)
    return {"held": asdict(await database.query(count_holdings, visit.id))}


async def enable(visit: Visit) -> dict[str, Any]:
    """Let an app call again; what was held goes on. Raises NotFound."""
    await visit.services.database.transaction(
        acts.set_active, visit.actor, id=visit.id, is_active=True
    )
    return {}


async def rotate_secret(visit: Visit) -> dict[str, Any]:
    """Make a new secret of an app, shown only this once; the one before stays valid until the next rotation.

    Raises NotFound.
    """
    services = visit.services
    found, secret = await services.database.transaction(
        acts.rotate_secret, visit.actor, id=visit.id, vault=services.vault
    )
    return {"app_id": found.app_id, "secret": secret}
