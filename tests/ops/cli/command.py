"""The operator's command, run in this process."""

from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from ops.cli import main


def carillon(environ: Mapping[str, str], *arguments: object) -> Result:
    """Run `carillon` with these settings; `.stdout`, `.stderr` and `.exit_code` are apart."""
    return CliRunner().invoke(main, [str(one) for one in arguments], env=dict(environ))


def refusal(result: Result) -> str:
    """The sentence on stderr of a command that failed with exit code 1, and printed nothing else."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    return result.stderr


def csv_file(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """A file of these lines."""
    path = folder / "rows.csv"
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path
