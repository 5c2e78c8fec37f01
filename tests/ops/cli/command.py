"""The command `carillon`, run in the process of the test."""

from collections.abc import Mapping
from pathlib import Path
from uuid import uuid4

from click.testing import CliRunner, Result

from ops.cli import main


def carillon(environ: Mapping[str, str], *arguments: object) -> Result:
    """Run `carillon` with these settings and arguments; the result has `stdout`, `stderr` and `exit_code`."""
    return CliRunner().invoke(main, [str(one) for one in arguments], env=dict(environ))


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
