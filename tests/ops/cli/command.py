"""The command `carillon`, run in the process of the test."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from click.testing import CliRunner, Result

from ops.cli import main


def carillon(environ: Mapping[str, str], *arguments: object, typed: str = "") -> Result:
    """Run `carillon` with these settings and arguments; the result has `stdout`, `stderr` and `exit_code`.

    `typed`: what somebody types when it asks.
    """
    given = [str(one) for one in arguments]
    return CliRunner().invoke(main, given, input=typed or None, env=dict(environ))


def begin(*arguments: object, **settings: str) -> subprocess.Popen[str]:
    """Begin to run `carillon` in a process of its own, with these settings and no others."""
    foreign = {name: text for name, text in os.environ.items() if not name.startswith("CARILLON_")}
    return subprocess.Popen(
        [sys.executable, "-c", "from ops.cli import main; main()", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=foreign | settings,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for its end, and fail the test unless it was a good one; returns what it printed."""
    printed, _ = process.communicate(timeout=150)
    assert process.returncode == 0, printed
    return printed


def refusal(result: Result) -> str:
    """The sentence on stderr of a command that failed with exit code 1, and printed nothing else."""
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    return result.stderr


def csv_file(folder: Path, *lines: str, encoding: str = "utf-8") -> Path:
    """The path of a file of these lines."""
    path = folder / "rows.csv"
    path.write_bytes("".join(f"{line}\r\n" for line in lines).encode(encoding))
    return path


def add_app_with_people(environ: Mapping[str, str], folder: Path) -> str:
    """Import persons 501 and 502, and add an app that calls 501 `zs`; returns its string id."""
    header = "id,mobile,name,english_name,status,role"
    name = f"app_{uuid4().hex[:8]}"
    carillon(environ, "user", "import", csv_file(folder, header, "501,,张三,,,", "502,,李四,,,"))
    carillon(environ, "app", "add", name, "--name", "N", "--callback-url", "https://a.cn/cb")
    path = csv_file(folder, "app_user_id,user_id,email", "zs,501,")
    carillon(environ, "mapping", "import", name, path)
    return name
