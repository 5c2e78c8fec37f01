"""Asking a console what its page asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from sqlalchemy import Engine

from storage.keys.passwords import hash_password
from storage.model.operator import Actor, Role
from storage.postgres import audit
from storage.postgres.acts import operators
from storage.postgres.audit import AuditRow
from tests.ingest.api_server import Api

TOKEN = "the operator's token of these tests"
CHANGES = {"X-Carillon-Console": "1"}
ROOT = Actor("cli:root", Role.ADMIN, address="host")
PASSWORD = "a password of these tests"
HASH = hash_password(PASSWORD)


def get(api: Api, path: str) -> httpx.Response:
    """Ask what the page asks."""
    return api.client.get(f"/console/api/{path}")


def post(api: Api, path: str, **options: Any) -> httpx.Response:
    """Do what the page does."""
    return api.client.post(f"/console/api/{path}", headers=CHANGES, **options)


def add_operator(engine: Engine, name: str, *, role: Role = Role.OPERATOR) -> None:
    """An operator with PASSWORD."""
    with engine.begin() as connection:
        operators.add(connection, ROOT, name=name, role=role, password_hash=HASH)


def sign_in(api: Api, name: str, *, password: str = PASSWORD) -> httpx.Response:
    """Send the form; the client has the cookie afterwards."""
    api.client.cookies.clear()
    return post(api, "login", json={"name": name, "password": password})


@contextmanager
def act_as(api: Api, name: str) -> Iterator[Api]:
    """The same server, for somebody else."""
    kept = dict(api.client.cookies)
    assert sign_in(api, name).status_code == 200
    yield api
    api.client.cookies.clear()
    api.client.cookies.update(kept)


def read_audit(engine: Engine, **wanted: Any) -> list[AuditRow]:
    """The rows of the audit, newest first."""
    with engine.begin() as connection:
        return audit.list_rows(connection, limit=100, **wanted)
