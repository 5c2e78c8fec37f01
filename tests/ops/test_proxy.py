"""What the proxy that we ship does to answers on their way."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from ops.local.ports import find_free_port
from tests.hostile.proxies import needs_caddy, needs_nginx, nginx, proxy

ROOT = Path(__file__).parents[2]
LIST = json.dumps([{"user_id": number, "last_message": "你好"} for number in range(1500)]).encode()
PICTURE = bytes(range(256)) * 100


class Upstream(BaseHTTPRequestHandler):
    """Stands for ingest: a long list, a picture, and the console."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer anything."""
        is_picture = self.path.endswith(".png")
        body = PICTURE if is_picture else LIST
        self.send_response(200)
        self.send_header("Content-Type", "image/png" if is_picture else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve_upstream() -> Iterator[int]:
    """The upstream on a free port, until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(url: str, encodings: str) -> tuple[str, bytes]:
    """The Content-Encoding of an answer, and its bytes as they came over the wire."""
    with httpx.stream("GET", url, headers={"Accept-Encoding": encodings}, timeout=20) as answer:
        assert answer.status_code == 200
        return answer.headers.get("content-encoding", ""), b"".join(answer.iter_raw())


@needs_caddy
def test_our_proxy_compresses_lists_and_nothing_else(tmp_path: Path) -> None:
    """Long JSON of the API is compressed for clients that take it; pictures, the console and others' answers are as they were."""
    port = find_free_port()
    command = ["caddy", "run", "--config", str(ROOT / "ops/proxy/Caddyfile"), "--adapter"]
    with serve_upstream() as upstream:
        environ = {"INGEST_HOST": "localhost", "INGEST_PORT": str(upstream), "HOME": str(tmp_path)}
        environ |= {"CARILLON_SITE": f":{port}", "PROXY_HEALTH_PORT": str(find_free_port())}
        environ |= {"CARILLON_PROXY_SHOWS": "/console/*"}
        with proxy(
            [*command, "caddyfile"], tmp_path, port=port, environ=environ, probe="/healthz"
        ) as url:
            encoding, body = ask(f"{url}/api/v1/messages/conversations", "gzip")
            assert encoding == "gzip"
            assert gzip.decompress(body) == LIST
            assert len(body) < len(LIST) / 5
            assert ask(f"{url}/api/v1/messages/conversations", "zstd, gzip")[0] == "zstd"
            for path, expected in (
                ("/api/v1/media/objects/a.png", PICTURE),
                ("/console/api/people", LIST),
            ):
                assert ask(url + path, "zstd, gzip") == ("", expected)
            assert ask(f"{url}/api/v1/messages/conversations", "identity") == ("", LIST)


@needs_caddy
def test_our_proxy_leads_to_the_inbox(tmp_path: Path) -> None:
    """The inbox's page and its files come from ingest, compressed, and nothing that only begins like them is let through."""
    port = find_free_port()
    command = ["caddy", "run", "--config", str(ROOT / "ops/proxy/Caddyfile"), "--adapter"]
    with serve_upstream() as upstream:
        environ = {"INGEST_HOST": "localhost", "INGEST_PORT": str(upstream), "HOME": str(tmp_path)}
        environ |= {"CARILLON_SITE": f":{port}", "PROXY_HEALTH_PORT": str(find_free_port())}
        with proxy(
            [*command, "caddyfile"], tmp_path, port=port, environ=environ, probe="/healthz"
        ) as url:
            for path in ("/inbox", "/inbox/", "/inbox/assets/inbox.js"):
                assert ask(f"{url}{path}", "gzip")[0] == "gzip", path
            assert httpx.get(f"{url}/inboxes").status_code == 404


@needs_nginx
def test_the_lines_for_nginx_compress_lists(tmp_path: Path) -> None:
    """The lines that the page for operators gives for nginx compress JSON, and leave the console as it is."""
    page = (ROOT / "docs/operations/deploy.md").read_text()
    lines = page.partition("```nginx\n")[2].partition("```")[0]
    port = find_free_port()
    with serve_upstream() as upstream:
        passes = f"proxy_pass http://127.0.0.1:{upstream}; proxy_http_version 1.1;"
        locations = f"location /api/v1/ {{ {lines} {passes} }} location / {{ {passes} }}"
        with nginx(tmp_path, port=port, upstreams="", locations=locations, probe="/healthz") as url:
            encoding, body = ask(f"{url}/api/v1/messages/conversations", "gzip")
            assert (encoding, gzip.decompress(body)) == ("gzip", LIST)
            assert ask(f"{url}/console/api/people", "gzip") == ("", LIST)
