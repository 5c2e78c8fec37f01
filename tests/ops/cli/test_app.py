"""`carillon app`: apps are added and listed, get new secrets, are disabled and enabled."""

import json
from collections.abc import Mapping

import pytest
from sqlalchemy import Engine

from storage.postgres.people import apps
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import load
from tests.ops.cli.command import carillon, refusal

pytestmark = pytest.mark.quick

OA = ("app", "add", "oa_system", "--name", "OA系统", "--callback-url", "https://oa.example.com/cb")


def live(environ: Mapping[str, str], engine: Engine, app_id: int) -> tuple[str, ...]:
    """The app's secrets, newest first."""
    with engine.connect() as connection:
        vault = Vault(load(VaultSettings, environ))
        return tuple(one.decode() for one in apps.find_secrets(connection, app_id, vault=vault))


def test_json_is_all_there_is_on_stdout(environ: Mapping[str, str], engine: Engine) -> None:
    """`--json` prints id, app_id and the live secret, and nothing else."""
    options = ("--redirect-host", "B.cn", "--redirect-host", "*.a.cn", "--category", "协同")
    made = json.loads(carillon(environ, *OA, *options, "--json").stdout)
    assert list(made) == ["id", "app_id", "secret"]
    assert live(environ, engine, made["id"]) == (made["secret"],)
    with engine.connect() as connection:
        app = apps.find(connection, "oa_system")
    assert app is not None
    assert (app.id, app.redirect_hosts, app.category_name) == (
        made["id"],
        ("*.a.cn", "b.cn"),
        "协同",
    )


def test_a_person_is_told_id_and_secret_once(environ: Mapping[str, str], engine: Engine) -> None:
    """Without --json, id and secret of a new app are on stdout; `app list` shows no secret."""
    told = carillon(environ, *OA).stdout
    (secret,) = live(environ, engine, 1)
    assert "id      1\n" in told
    assert secret in told
    listed = carillon(environ, "app", "list").stdout
    assert "oa_system" in listed
    assert secret not in listed


def test_rotation_keeps_the_one_before(environ: Mapping[str, str], engine: Engine) -> None:
    """`rotate-secret` prints the new secret, and that one and the one before are valid."""
    first = json.loads(carillon(environ, *OA, "--json").stdout)
    second = json.loads(carillon(environ, "app", "rotate-secret", "oa_system", "--json").stdout)
    assert live(environ, engine, first["id"]) == (second["secret"], first["secret"])


def test_an_app_is_disabled_and_enabled(environ: Mapping[str, str], engine: Engine) -> None:
    """`disable` and `enable` change whether the app may call, and say so."""
    carillon(environ, *OA)
    for command, is_active in (("disable", False), ("enable", True)):
        said = carillon(environ, "app", command, "oa_system").stdout
        assert said == f"App oa_system is {command}d.\n"
        with engine.connect() as connection:
            app = apps.find(connection, "oa_system")
        assert app is not None
        assert app.is_active is is_active


BAD = {
    "taken": (OA[2:], "There already is an app oa_system."),
    "app id": (("oa system", *OA[3:]), "cannot be an app id"),
    "name": (("x", "--name", " ", *OA[5:]), "The name is empty."),
    "callback": (("x", "--name", "X", "--callback-url", "ftp://a.cn"), "not an absolute http(s)"),
    "host": (("x", *OA[3:], "--redirect-host", "https://a.cn"), "is not a host"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_work_is_refused(environ: Mapping[str, str], name: str) -> None:
    """An app that could never work is refused in a sentence, with exit code 1."""
    carillon(environ, *OA)
    arguments, sentence = BAD[name]
    assert sentence in refusal(carillon(environ, "app", "add", *arguments))


@pytest.mark.parametrize("command", ["rotate-secret", "disable", "enable"])
def test_an_unknown_app_is_a_sentence(environ: Mapping[str, str], command: str) -> None:
    """A string id that no app has is named, with exit code 1."""
    assert "There is no app nope." in refusal(carillon(environ, "app", command, "nope"))
