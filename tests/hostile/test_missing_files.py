"""Paths of files that are not there, asked for by a stranger."""

import time
from collections.abc import Iterator, Mapping

import pytest
from sqlalchemy import Engine

from tests.ingest.api_server import Api, run_api
from tests.ingest.conftest import own_environ

__all__ = ["own_environ"]

TOKEN = "the operator's token of this test"


@pytest.fixture
def with_console(own_environ: Mapping[str, str], engine: Engine) -> Iterator[Api]:
    """A server that has a console."""
    with run_api({**own_environ, "CARILLON_CONSOLE_TOKEN": TOKEN}, engine) as api:
        yield api


ABSENT = (
    "",
    "nothing.js",
    "../secrets",
    "%2e%2e/%2e%2e/etc/passwd",
    "%00",
    "%ff%ed%a0%80",
    "a" * 10_000,
    "a/" * 3_000,
    "//etc/passwd",
    "eyJ" * 5_000,
)


def test_a_file_that_is_not_there_is_404(with_console: Api) -> None:
    """A file that is not below either folder of files is 404 as JSON with a request id, however odd its name."""
    for folder in ("//docs/files/", "//console/static/"):
        for name in ABSENT:
            answer = with_console.ask("GET", folder + name)
            assert answer.status_code == 404, (folder, name[:20], answer.text)
            assert answer.json()["detail"]
            assert answer.headers["X-Request-Id"]
    assert 'status="500"' not in with_console.ask("GET", "//metrics").text


def test_another_method_than_a_path_takes_is_405(with_console: Api) -> None:
    """Another method is 405 as JSON, with `Allow`, also where Starlette's own routes and files answer."""
    for method, path in [
        ("POST", "//docs/files/swagger-ui.css"),
        ("DELETE", "//console/static/console.js"),
        ("GET", "//console/api/login"),
        ("PUT", "//console/api/look"),
    ]:
        answer = with_console.ask(method, path)
        assert answer.status_code == 405, (method, path)
        assert answer.json()["detail"]
        assert answer.headers["Allow"]


def test_a_long_path_holds_nobody_up(with_console: Api) -> None:
    """A path of 45,000 characters that looks like the beginning of a credential is answered as fast as others."""
    began = time.monotonic()
    for _ in range(5):
        assert with_console.ask("GET", "//docs/files/" + "eyJ" * 15_000).status_code == 404
    assert time.monotonic() - began < 3
