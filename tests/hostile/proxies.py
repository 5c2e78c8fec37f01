"""Proxies in front of our servers, for tests: nginx and Caddy, as processes."""

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from ops.local.polling import wait_until

needs_caddy = pytest.mark.skipif(shutil.which("caddy") is None, reason="needs caddy")
needs_nginx = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin") is None, reason="needs nginx"
)

_NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; {user}
events {{ }}
http {{
  access_log off; client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  {upstreams}
  server {{
    listen 127.0.0.1:{port};
    {locations}
  }}
}}
"""


def get(url: str) -> int:
    """The status of a GET; 0 if nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


@contextmanager
def proxy(
    command: list[str], folder: Path, *, port: int, environ: Mapping[str, str], probe: str
) -> Iterator[str]:
    """A proxy, once GET `probe` passes it, until the end of the block; its URL."""
    url = f"http://127.0.0.1:{port}"
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env={"PATH": "/usr/bin:/usr/sbin:/bin", **environ}
        )
    try:
        is_up = wait_until(lambda: get(f"{url}{probe}") == 200, seconds=20)
        assert is_up, (folder / "proxy.log").read_text()
        yield url
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def nginx(folder: Path, *, port: int, upstreams: str, locations: str, probe: str) -> Iterator[str]:
    """An nginx with these blocks of configuration; its URL. What it has to say is in `nginx.log`."""
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    blocks = {"upstreams": upstreams, "locations": locations}
    config.write_text(_NGINX.format(folder=folder, port=port, user=user, **blocks))
    command = ["nginx", "-c", str(config), "-e", str(folder / "start.log")]
    with proxy(command, folder, port=port, environ={}, probe=probe) as url:
        yield url
