"""`carillon backup`: what it asks for, and what it refuses."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.backup.archive import open_archive
from ops.backup.last_backup import find_last_backup
from tests.ops.cli.command import carillon, refusal


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    """A file with a passphrase."""
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery\n")
    return file


def test_it_backs_up_a_server_of_ones_own_and_notes_when(
    environ: Mapping[str, str], tmp_path: Path, passphrase: Path
) -> None:
    """The file is whole, holds record, media and secrets, and the data folder knows when it was made."""
    (tmp_path / "media" / "user").mkdir(parents=True)
    (tmp_path / "media" / "user" / "one.png").write_bytes(b"png")
    file = tmp_path / "one.carillon"
    done = carillon(environ, "backup", file, "--passphrase-file", passphrase)
    assert done.exit_code == 0, done.output
    with open_archive(file) as archive:
        archive.verify(lambda _: None)
        assert archive.manifest.media_objects == 1
        assert archive.has_secrets()
        last = find_last_backup(tmp_path)
        assert last is not None
        assert last.made_at == archive.manifest.made_at
    assert environ["CARILLON_SECRETS_KEY"].encode() not in file.read_bytes()
    assert "record.backup" in carillon(environ, "audit").stdout
    assert (
        last.made_at.isoformat() in carillon(environ, "audit", "--act", "record.backed-up").stdout
    )


@pytest.mark.parametrize("words", [("--without-secrets", "--without-media"), ("--without-media",)])
def test_what_is_left_out_is_not_in_it(
    environ: Mapping[str, str], tmp_path: Path, words: tuple[str, ...], passphrase: Path
) -> None:
    """Secrets and media are left out on request."""
    file = tmp_path / "one.carillon"
    done = carillon(environ, "backup", file, "--passphrase-file", passphrase, *words)
    assert done.exit_code == 0, done.output
    with open_archive(file) as archive:
        assert archive.has_secrets() == ("--without-secrets" not in words)
        assert set(archive.manifest.parts) == {"record.dump"}


def test_secrets_are_not_written_without_a_passphrase(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    """Without a terminal and without a passphrase the backup is refused, and both ways out are named."""
    told = refusal(carillon(environ, "backup", tmp_path / "one"))
    assert "--passphrase-file" in told and "--without-secrets" in told
    assert not (tmp_path / "one").exists()
    (tmp_path / "short").write_text("1234567\n")
    assert "8 characters" in refusal(
        carillon(environ, "backup", tmp_path / "one", "--passphrase-file", tmp_path / "short")
    )


def test_refusals_are_sentences(environ: Mapping[str, str], tmp_path: Path) -> None:
    """A file that exists, a folder that does not, and a place without data are each named."""
    (tmp_path / "one").write_text("mine")
    words = ("--without-secrets",)
    assert "exists" in refusal(carillon(environ, "backup", tmp_path / "one", *words))
    told = refusal(carillon(environ, "backup", tmp_path / "no" / "one", *words))
    assert "No such file or directory" in told
    empty = {"CARILLON_DATA_DIR": str(tmp_path / "empty")}
    assert "no stack's data" in refusal(carillon(empty, "backup", tmp_path / "two", *words))
    away = {**environ, "CARILLON_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/carillon"}
    assert refusal(carillon(away, "backup", tmp_path / "two", *words))
    assert {path.name for path in tmp_path.iterdir()} == {"one"}
