"""`carillon app`: apps are added and listed, get new secrets, are disabled and enabled."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from storage.postgres import audit
from storage.postgres.messages import persistence
from storage.postgres.people import apps
from storage.postgres.people.apps import Vault, VaultSettings
from storage.settings import load
from tests.builders import a_broadcast, a_notification, accept, add_people
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


@pytest.mark.parametrize("command", ["rotate-secret", "disable", "enable", "show", "callback"])
def test_an_unknown_app_is_a_sentence(environ: Mapping[str, str], command: str) -> None:
    """A string id that no app has is named, with exit code 1."""
    assert "There is no app nope." in refusal(carillon(environ, "app", command, "nope"))


def test_an_app_is_shown_with_its_secrets_and_what_waits(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """`app show` has the app, when each secret ends, and how much waits; no secret."""
    made = json.loads(carillon(environ, *OA, "--json").stdout)
    with engine.begin() as connection:
        add_people(connection, [1, 2])
    carillon(environ, "app", "rotate-secret", "oa_system", "--expires", "7d")
    shown = carillon(environ, "app", "show", "oa_system").stdout
    told = json.loads(shown)
    assert (told["app_id"], told["is_active"]) == ("oa_system", True)
    assert [bool(one["ends_at"]) for one in told["secrets"]] == [False, True]
    assert told["waiting"] == {"sends": 0, "broadcasts": 0}
    assert made["secret"] not in shown
    assert "valid, until" in " ".join(carillon(environ, "app", "list").stdout.split())


def test_disabling_says_what_is_held(environ: Mapping[str, str], engine: Engine) -> None:
    """`app disable` says how many scheduled sends and broadcasts wait until the app is enabled."""
    made = json.loads(carillon(environ, *OA, "--json").stdout)
    soon = datetime.now(UTC) + timedelta(days=1)
    of_app = {"app_id": made["id"], "sent_by_app_id": made["id"]}
    with engine.begin() as connection:
        add_people(connection, [1, 2])
        [running] = accept(connection, a_broadcast(**of_app))
        persistence.persist(connection, [running])
        accept(connection, *[a_notification(**of_app, send_at=soon) for _ in range(3)])
        accept(connection, a_broadcast(**of_app, send_at=soon))
    said = carillon(environ, "app", "disable", "oa_system").stdout
    assert "3 scheduled sends and 2 broadcasts" in said
    assert "carillon broadcasts list --app oa_system" in said


def test_an_app_is_changed(environ: Mapping[str, str], engine: Engine) -> None:
    """`app update` changes what is given, says what is then, and the audit has what was different."""
    carillon(environ, *OA, "--redirect-host", "b.cn")
    said = carillon(environ, "app", "update", "oa_system", "--name", "OA", "--add-host", "*.C.cn", "--remove-host", "B.cn").stdout  # fmt: skip
    assert "hosts       *.c.cn\n" in said
    carillon(environ, "app", "update", "oa_system", "--no-hosts", "--category", "协同")
    with engine.begin() as connection:
        found = apps.find(connection, "oa_system")
        rows = audit.list_rows(connection, limit=2)
    assert found is not None
    assert (found.name, found.redirect_hosts, found.category_name) == ("OA", (), "协同")
    assert rows[1].before == {"name": "OA系统", "redirect_hosts": ["b.cn"]}
    assert rows[1].after == {"name": "OA", "redirect_hosts": ["*.c.cn"]}
    assert rows[0].after == {"redirect_hosts": [], "category": "协同"}


@pytest.mark.parametrize(
    ("options", "code", "sentence"),
    [
        ((), 2, "Say what is to change"),
        (("--no-hosts", "--only-host", "a.cn"), 2, "not both"),
        (("--name", " "), 1, "The name is empty."),
        (("--callback-url", "x"), 1, "not an absolute http(s) URL"),
        (("--add-host", "https://a.cn"), 1, "is not a host"),
        (("--allow-from", "10.1.0.0/40"), 1, "is not an address or network"),
        (("--allow-from", "::1", "--allow-from-anywhere"), 2, "not both"),
    ],
)
def test_a_change_that_cannot_be_is_a_sentence(
    environ: Mapping[str, str], options: tuple[str, ...], code: int, sentence: str
) -> None:
    """A change that says nothing, or what could never work, is refused in a sentence."""
    carillon(environ, *OA)
    done = carillon(environ, "app", "update", "oa_system", *options)
    assert done.exit_code == code
    assert sentence in done.stderr


def test_the_old_secret_ends_now_or_then(environ: Mapping[str, str], engine: Engine) -> None:
    """`--now` leaves the new secret alone; `--expires` gives the one before an end; both at once are refused."""
    made = json.loads(carillon(environ, *OA, "--json").stdout)
    rotate = ("app", "rotate-secret", "oa_system")
    told = carillon(environ, *rotate, "--expires", "1h")
    assert "The one before ends at" in told.stderr
    assert len(live(environ, engine, made["id"])) == 2
    only = json.loads(carillon(environ, *rotate, "--now", "--json").stdout)
    assert live(environ, engine, made["id"]) == (only["secret"],)
    assert carillon(environ, *rotate, "--now", "--expires", "1h").exit_code == 2
    assert carillon(environ, *rotate, "--expires", "tomorrow").exit_code == 2


ALLOW = ("--allow-from", "10.1.0.0/16", "--allow-from", "::1")
NETWORKS = ("10.1.0.0/16", "::1/128")


def test_where_calls_come_from_and_how_they_are_signed(
    environ: Mapping[str, str], engine: Engine
) -> None:
    """An app is bound to networks and to a version of signatures, and let go again; the audit has each change."""
    carillon(environ, *OA)
    steps: tuple[tuple[tuple[str, ...], dict[str, object]], ...] = (
        (("update", "oa_system", *ALLOW), {"allowed_networks": list(NETWORKS)}),
        (("require-signature", "oa_system", "2"), {"signature_version": 2}),
        (("update", "oa_system", "--allow-from-anywhere"), {"allowed_networks": []}),
        (("require-signature", "oa_system", "1"), {"signature_version": 1}),
    )
    for command, after in steps:
        carillon(environ, "app", *command)
        with engine.begin() as connection:
            app = apps.find(connection, "oa_system")
            (row,) = audit.list_rows(connection, limit=1)
        assert app is not None
        assert row.after == after
        found: dict[str, object] = {"allowed_networks": list(app.allowed_networks)}
        found |= {"signature_version": app.signature_version}
        assert after.items() <= found.items()
