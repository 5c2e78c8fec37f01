"""Clients of the API for commands: as whom they call, and where the API is."""

import time

from ops.api_client import ApiClient
from ops.cli import read_environment
from ops.cli.servers import open_database
from ops.local.settings import UpSettings
from ops.local.stack_lock import read_running_environment
from storage.keys.tokens import TokenSettings, issue_token
from storage.model.errors import NotFound
from storage.postgres.people import apps
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import DataFolder, load

_TOKEN_SECONDS = 3600.0


def find_api_url(given: str | None) -> str:
    """The URL of the API: the one `given`, else the running stack's, else CARILLON_PUBLIC_URL, else the local address."""
    if given:
        return given.rstrip("/")
    environ = read_environment()
    where = load(UpSettings, environ)
    is_here = bool(read_running_environment(load(DataFolder, environ).path))
    return where.local_url if is_here else (where.public_url or where.local_url)


def issue_user_token(user_id: int) -> str:
    """A token of this person that is good for an hour. Whether there is such a person is not looked up."""
    settings = load(TokenSettings, read_environment())
    return issue_token(settings, user_id, ttl_seconds=_TOKEN_SECONDS, now=time.time())


def as_user(user_id: int, *, url: str | None) -> ApiClient:
    """A client that calls the API as this person; `url` None: where `find_api_url` says."""
    return ApiClient.of_user(find_api_url(url), issue_user_token(user_id))


def as_app(app_id: str, *, secret: str | None, url: str | None) -> ApiClient:
    """A client that calls the API as this app, with `secret`, or else the newest secret in the database.

    Raises NotFound if the database has no such app, or no secret of it.
    """
    key = secret.encode() if secret else find_secret(app_id)
    return ApiClient.of_app(find_api_url(url), app_id, secret=key)


def find_secret(app_id: str) -> bytes:
    """The newest secret of this app in the database. Raises NotFound if it has no such app, or no secret of it."""
    with open_database() as database:
        found = database.transaction(apps.find, app_id)
        if found is None:
            raise NotFound(f"There is no app {app_id}.")
        vault = Vault(load(VaultSettings, read_environment()))
        secrets = database.transaction(apps.find_secrets, found.id, vault=vault)
    if not secrets:
        raise NotFound(f"The app {app_id} has no secret; give it one with `app rotate-secret`.")
    return secrets[0]
