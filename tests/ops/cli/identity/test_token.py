"""`carillon token`: tokens for tests and load generators."""

import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from storage.keys.tokens import TokenSettings, TokenVerifier
from storage.model.errors import NotSignedIn
from storage.settings import load
from tests.services import SECRETS

pytestmark = pytest.mark.quick


def run(folder: Path, *arguments: str) -> Result:
    """Run the command with the tests' secrets."""
    return CliRunner().invoke(main, arguments, env={"CARILLON_DATA_DIR": str(folder), **SECRETS})


def test_one_token_a_line_and_nothing_else(tmp_path: Path) -> None:
    """On stdout is one valid token for each id, in the order of the ids."""
    result = run(tmp_path, "token", "3", "1", "2")
    verifier = TokenVerifier(load(TokenSettings, SECRETS))
    tokens = result.stdout.split("\n")
    assert tokens.pop() == ""
    assert [verifier.verify(token).user_id for token in tokens] == [3, 1, 2]


def test_a_negative_ttl_has_expired(tmp_path: Path) -> None:
    """A token with a negative ttl is refused as expired."""
    result = run(tmp_path, "token", "1", "--ttl", "-5")
    with pytest.raises(NotSignedIn, match="expired"):
        TokenVerifier(load(TokenSettings, SECRETS)).verify(result.stdout.strip())


def test_ten_thousand_take_seconds(tmp_path: Path) -> None:
    """10,000 tokens take less than 5 seconds."""
    began = time.monotonic()
    result = run(tmp_path, "token", *map(str, range(1, 10_001)))
    assert time.monotonic() - began < 5
    assert len(result.stdout.split()) == 10_000


def test_without_a_secret_it_says_what_to_do(tmp_path: Path) -> None:
    """Without a running stack and a secret, the missing variable is named on stderr, with exit code 1."""
    environ = dict.fromkeys(SECRETS, "") | {"CARILLON_DATA_DIR": str(tmp_path)}
    result = CliRunner().invoke(main, ["token", "1"], env=environ)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "CARILLON_JWT_SECRET" in result.stderr
    assert "No stack runs" in result.stderr
