"""`carillon restore`: what a backup held is there again, once, and nothing that came later is given out twice."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from ops.backup.archive import RECORD, create_archive, open_archive
from ops.local.embedded.postgres import EmbeddedPostgres
from ops.local.polling import wait_until
from ops.local.stack import keep_secrets
from tests import services
from tests.builders import add_people
from tests.ops.cli.command import begin, carillon, finish, refusal
from tests.services import SECRETS

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """A file with a passphrase."""
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery\n")
    return file


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for data folders, which PostgreSQL's user can pass through."""
    with services.folder() as folder:
        yield folder


@pytest.fixture
def backup(environ: Mapping[str, str], engine: Engine, place: Path, passphrase: Path) -> Path:
    """A backup of a database with two people and an app's secret."""
    with engine.begin() as connection:
        add_people(connection, (1, 2))
    file = place / "one.carillon"
    done = carillon(environ, "backup", file, "--passphrase-file", passphrase)
    assert done.exit_code == 0, done.output
    return file


def test_a_restore_that_is_killed_leaves_the_folder_as_it_was(
    backup: Path, place: Path, passphrase: Path
) -> None:
    """After kill -9 in the middle of a restore the old folder is untouched, and the next restore goes through."""
    folder = place / "data"
    folder.mkdir(mode=0o711)
    (folder / "secrets.json").write_text("{}")
    words = ("restore", backup, "--passphrase-file", passphrase, "--force")
    own = {"CARILLON_DATA_DIR": str(folder)}
    first = begin(*words, **own)
    making = place / "data.restoring"
    assert wait_until((making / "postgres" / "data" / "PG_VERSION").exists, seconds=60)
    first.kill()
    first.communicate()
    assert (folder / "secrets.json").read_text() == "{}"
    assert "2 people" in finish(begin(*words, **own))
    assert not making.exists()
    [aside] = place.glob("data.before-*")
    assert (aside / "secrets.json").read_text() == "{}"
    assert keep_secrets(folder)["CARILLON_SECRETS_KEY"] == SECRETS["CARILLON_SECRETS_KEY"]


def test_a_backup_that_is_killed_leaves_no_backup(
    environ: Mapping[str, str], engine: Engine, place: Path
) -> None:
    """After kill -9 in the middle of a backup there is no file of its name, and the next one goes through."""
    file = place / "one.carillon"
    with engine.begin() as holder:
        # pg_dump waits for this lock, so the backup is under way for as long as we like.
        holder.execute(text("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"))
        process = begin("backup", file, "--without-secrets", **environ)
        assert wait_until((place / "one.carillon.part").exists, seconds=60)
        process.kill()
        process.communicate()
    assert not file.exists()
    finish(begin("backup", file, "--without-secrets", **environ))
    assert [path.name for path in place.iterdir()] == ["one.carillon"]


def test_nothing_is_touched_when_the_backup_is_damaged(
    backup: Path, place: Path, passphrase: Path
) -> None:
    """A damaged backup, and a wrong passphrase, are refused before the folder is touched."""
    own = {"CARILLON_DATA_DIR": str(place / "data")}
    wrong = place / "wrong"
    wrong.write_text("another passphrase")
    told = refusal(carillon(own, "restore", backup, "--passphrase-file", wrong))
    assert "passphrase is wrong" in told
    text_ = bytearray(backup.read_bytes())
    text_[2_000] ^= 1
    backup.write_bytes(text_)
    damaged = carillon(own, "restore", backup, "--passphrase-file", passphrase)
    assert damaged.exit_code == 1
    assert "damaged" in damaged.stderr
    assert not (place / "data").exists()


def test_a_folder_with_data_is_not_replaced(backup: Path, place: Path, passphrase: Path) -> None:
    """A data folder that is not empty is refused without --force."""
    folder = place / "data"
    folder.mkdir()
    (folder / "secrets.json").write_text("{}")
    told = carillon(
        {"CARILLON_DATA_DIR": str(folder)}, "restore", backup, "--passphrase-file", passphrase
    )
    assert told.exit_code == 1
    assert "not empty" in told.stderr and "--force" in told.stderr
    assert [path.name for path in folder.iterdir()] == ["secrets.json"]


def rewrite(backup: Path, to: Path, **changes: Any) -> None:
    """Write another backup that says other things of itself."""
    with open_archive(backup) as old, create_archive(to) as new:
        with old.open(RECORD) as source, new.add(RECORD) as part:
            part.write(source.read())
        fields = json.loads(old.manifest_text)
        fields["parts"] = {RECORD: fields["parts"][RECORD]}
        with new.add("manifest.json") as part:
            part.write(json.dumps(fields | changes).encode())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"schema": "9999", "release": "7.0"}, "newer release"),
        ({"made_at": "2099-01-01T00:00:00+00:00"}, "clock"),
    ],
)
def test_a_backup_of_the_future_is_refused(
    environ: Mapping[str, str], backup: Path, place: Path, changes: dict[str, str], sentence: str
) -> None:
    """A backup of a newer release is refused, and so is one that was made after what the clock says."""
    rewrite(backup, place / "two", **changes)
    told = carillon({"CARILLON_DATA_DIR": str(place / "data")} | SECRETS, "restore", place / "two")
    assert told.exit_code == 1
    assert sentence in told.stderr
    assert not (place / "data").exists()


def test_it_goes_into_an_empty_database_of_ones_own(
    backup: Path,
    environ: Mapping[str, str],
    postgres: EmbeddedPostgres,
    place: Path,
    passphrase: Path,
) -> None:
    """A backup goes into a database of one's own, which must be empty, and the secrets into a file."""
    words = ("restore", backup, "--passphrase-file", passphrase)
    into = ("--secrets-into", place / "secrets.env")
    assert "already" in carillon(environ, *words, *into).stderr
    assert not (place / "secrets.env").exists()
    with services.empty_database(postgres, "restored") as url:
        own = {**environ, "CARILLON_DATABASE_URL": url}
        assert "--secrets-into" in carillon(own, *words).stderr
        done = carillon(own, *words, *into)
        assert done.exit_code == 0, done.output
        assert "2 people" in done.stdout
    lines = dict(line.split("=", 1) for line in (place / "secrets.env").read_text().splitlines())
    assert lines["CARILLON_SECRETS_KEY"] == SECRETS["CARILLON_SECRETS_KEY"]
    assert (place / "secrets.env").stat().st_mode & 0o777 == 0o600
