"""Strangers who make up an `X-App-Id` for every request."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count

from sqlalchemy import Connection, Engine, event

from storage.postgres.people import apps
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import load
from tests.ingest.api_server import API, Api, run_api
from tests.ingest.conftest import PATIENT, own_environ

__all__ = ["own_environ"]

CONNECTIONS, REQUESTS = 200, 8
_numbers = count()


async def ask_as_strangers(api: Api) -> set[int]:
    """The statuses of many requests at once, each of another app that does not exist."""
    statuses: set[int] = set()

    async def one_connection() -> None:
        url = api.client.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        for _ in range(REQUESTS):
            signed = "".join(
                f"{name}: {value}\r\n"
                for name, value in api.app(f"made-up-{next(_numbers)}").items()
            )
            writer.write(f"GET {API}/broadcasts HTTP/1.1\r\nHost: x\r\n{signed}\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.add(int(head.split()[1]))
            length = next(line for line in head.split(b"\r\n") if b"content-length" in line.lower())
            await reader.readexactly(int(length.split()[1]))
        writer.close()

    await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS)))
    return statuses


def test_strangers_stop_no_one_elses_sends(own_environ: Mapping[str, str], engine: Engine) -> None:
    """While 200 connections ask with made-up app ids and get 401, others' sends are all 200."""
    by_default = dict.fromkeys(PATIENT, "")
    with run_api({**own_environ, **by_default}, engine) as api, ThreadPoolExecutor(1) as pool:
        api.send_for_id(api.app(), receiver_id=2)
        strangers = pool.submit(asyncio.run, ask_as_strangers(api))
        answers: list[int] = []
        while not strangers.done():
            answers.append(api.send(api.person(1 + len(answers) % 5), receiver_id=2).status_code)
            answers.append(api.send(api.app(), receiver_id=2).status_code)
            wait([strangers], timeout=0.01)
        assert strangers.result() == {401}
        assert len(answers) > 4
        assert set(answers) == {200}


def test_callers_that_ask_at_once_are_looked_up_in_one_query(
    engine: Engine, environ: Mapping[str, str]
) -> None:
    """Five hundred made-up app ids take one query, and a second one reads the secrets of those that exist."""
    asked: list[str] = []
    vault = Vault(load(VaultSettings, environ))

    def note(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    with engine.begin() as connection:
        _add_apps(connection, vault)
        event.listen(connection, "before_cursor_execute", note)
        nobodys = [f"made-up-{number}" for number in range(500)]
        assert apps.find_callers(connection, nobodys, vault=vault) == {}
        assert len(asked) == 1
        found = apps.find_callers(connection, [*nobodys, "oa", "crm"], vault=vault)
        assert len(asked) == 3
        assert {app_id: len(one[1]) for app_id, one in found.items() if isinstance(one, tuple)} == {
            "oa": 2,
            "crm": 1,
        }


def _add_apps(connection: Connection, vault: Vault) -> None:
    for app_id in ("oa", "crm"):
        apps.add(connection, apps.NewApp(app_id, app_id, "https://a.example.com/"), vault=vault)
    apps.rotate_secret(connection, 1, vault=vault)
