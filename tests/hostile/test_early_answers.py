"""Answers that come before the body was read reach clients of every kind, and proxies in between."""

import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.local.ports import find_free_port
from tests.hostile.proxies import get, needs_caddy, needs_nginx, nginx, proxy
from tests.ops.http.app import Server, run_server

ROOT = Path(__file__).parents[2]
BODY = b"x" * 8_000_000
PATHS = ("/early", "/early-close")  # the second says `Connection: close`

NODE = """
const http = require('http'), [port, path] = process.argv.slice(1), body = Buffer.alloc(8e6, 'x');
const post = (headers, agent) => new Promise((done, fail) => {
  const request = http.request({port, path, method: 'POST', agent, headers}, (answer) => {
    answer.on('error', fail).resume().on('end', () => done(answer.statusCode));
  }).on('error', fail);
  for (let i = 0; i < 8; i++) request.write(body.subarray(i * 1e6, (i + 1) * 1e6));
  request.end();
});
(async () => {
  for (let i = 0; i < 5; i++) {
    for (const keepAlive of [true, false]) {
      const agent = new http.Agent({keepAlive});
      console.log(await post({'Content-Length': 8e6}, agent), await post({}, agent));
      agent.destroy();
    }
    console.log((await fetch(`http://127.0.0.1:${port}${path}`, {method: 'POST', body})).status);
  }
})();
"""

UPSTREAMS = """
upstream both {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; }}
upstream kept {{ server 127.0.0.1:{first}; server 127.0.0.1:{second}; keepalive 8; }}
"""
LOCATIONS = """
location /plain/ { proxy_pass http://both/; }
location /streamed/ { proxy_pass http://both/; proxy_request_buffering off; proxy_http_version 1.1; }
location / { proxy_pass http://kept; proxy_http_version 1.1; proxy_set_header Connection ""; }
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An app that answers 401 without a look at the body."""
    with run_server(tmp_path_factory.mktemp("first")) as server:
        yield server


def post(url: str) -> int:
    """The status that urllib gets for 8 MB; it says `Connection: close`, as curl's scripts often do."""
    request = urllib.request.Request(url, data=BODY, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            error.read()
            return error.code


@pytest.mark.parametrize("path", PATHS)
def test_urllib_gets_an_early_answer(server: Server, path: str) -> None:
    """With urllib, which writes 8 MB before it reads, a client gets the early answer every time."""
    assert [post(f"http://127.0.0.1:{server.port}{path}") for _ in range(10)] == [401] * 10


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize("path", PATHS)
def test_node_gets_an_early_answer(server: Server, path: str) -> None:
    """Node gets the early answer with a length and chunked, on kept connections and new ones, and through fetch."""
    done = subprocess.run(
        ["node", "-e", NODE, str(server.port), path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["401"] * 25


@needs_caddy
def test_an_early_answer_passes_our_caddy(server: Server, tmp_path: Path) -> None:
    """With the Caddyfile that we ship, an early answer is passed on and the next request is answered: no 502."""
    config, port = ROOT / "ops/proxy/Caddyfile", find_free_port()
    command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    hosts = {"INGEST_HOST": "localhost", "INGEST_PORT": str(server.port), "HOME": str(tmp_path)}
    # The tests' paths are none of ours.
    hosts |= {"CARILLON_SITE": f":{port}", "PROXY_HEALTH_PORT": str(find_free_port())}
    hosts |= {"CARILLON_PROXY_SHOWS": "/*"}
    with proxy(command, tmp_path, port=port, environ=hosts, probe="/a") as url:
        for path in PATHS * 5:
            assert post(f"{url}{path}") == 401
            assert get(f"{url}/a") == 200


@needs_nginx
def test_an_early_answer_passes_nginx_and_takes_no_upstream_out(
    server: Server, tmp_path: Path
) -> None:
    """Early answers pass nginx, and it takes neither upstream out, as it would if they had cut the request short."""
    with run_server(tmp_path) as second:
        port = find_free_port()
        upstreams = UPSTREAMS.format(first=server.port, second=second.port)
        blocks = {"upstreams": upstreams, "locations": LOCATIONS}
        with nginx(tmp_path, port=port, **blocks, probe="/a") as url:
            for prefix in ("", "/plain", "/streamed"):
                for path in PATHS * 3:
                    assert post(f"{url}{prefix}{path}") == 401, (prefix, path)
                assert [get(f"{url}{prefix}/a") for _ in range(10)] == [200] * 10
        assert "no live upstreams" not in (tmp_path / "nginx.log").read_text()


def test_everybody_else_is_answered_meanwhile(server: Server) -> None:
    """While ten clients send bodies that were answered already, every GET is answered within half a second."""
    wires = [server.wire() for _ in range(10)]
    head = b"POST /early HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n"
    slowest = 0.0
    for wire in wires:
        wire.send(head)
    for _ in range(20):
        for wire in wires:
            wire.try_to_send(BODY[:262_144])
        since = time.monotonic()
        assert get(f"http://127.0.0.1:{server.port}/a") == 200
        slowest = max(slowest, time.monotonic() - since)
    for wire in wires:
        assert wire.answer().status == 401
        wire.close()
    assert slowest < 0.5
