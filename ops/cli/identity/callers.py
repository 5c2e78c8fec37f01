"""Clients of the API for commands: as whom they call, and where the API is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from carillon_client import NEVER_AGAIN, AppClient, PersonClient, Retries
from ops.api_errors import translate_errors
from ops.cli import read_environment
from ops.cli.servers import open_database
from ops.local.settings import UpSettings
from ops.local.stack_lock import read_running_environment
from storage.keys.tokens import TokenSettings, issue_token
from storage.model.errors import CallerError, NotFound
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


@contextmanager
def as_user(user_id: int, *, url: str | None) -> Iterator[PersonClient]:
    """A client that calls the API as this person; `url` None: where `find_api_url` says.

    In its block errors of the API are ours; nothing is tried again, so that the command says at once what is wrong.
    """
    with translate_errors(), open_person(find_api_url(url), user_id) as client:
        yield client


@contextmanager
def as_app(app_id: str, *, secret: str | None, url: str | None) -> Iterator[AppClient]:
    """A client that calls the API as this app, with `secret`, or else the newest secret in the database.

    As with `as_user`, errors are ours and nothing is tried again. Raises NotFound if the database has no such app, or no
    secret of it.
    """
    key = secret.encode() if secret else find_secret(app_id)
    with translate_errors(), open_app(find_api_url(url), app_id, secret=key) as client:
        yield client


def open_person(url: str, user_id: int, *, retries: Retries = NEVER_AGAIN) -> PersonClient:
    """A client of the API at `url` for this person, with tokens that are made here. Raises CallerError if that is no URL."""
    try:
        return PersonClient(url, partial(issue_user_token, user_id), retries=retries)
    except ValueError as error:
        raise CallerError(f"{url} is not a URL.") from error


def open_app(url: str, app_id: str, *, secret: bytes, retries: Retries = NEVER_AGAIN) -> AppClient:
    """A client of the API at `url` for this app. Raises CallerError if that is no URL."""
    try:
        return AppClient(url, app_id, secret, retries=retries)
    except ValueError as error:
        raise CallerError(f"{url} is not a URL.") from error


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
