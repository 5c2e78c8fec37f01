"""A bucket that takes connections and never answers: sends of media wait a moment for it, and nothing else does."""

import socket
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from ops.local.polling import wait_until
from storage.media import s3
from tests.ingest.api_server import Api, run_api
from tests.ingest.conftest import own_environ

__all__ = ["own_environ"]

IMAGE = {"receiver_id": 2, "content_type": "IMAGE"}


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that accepts and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def with_bucket(
    silent_server: str,
    own_environ: Mapping[str, str],
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Api]:
    """An ingest server whose bucket never answers."""
    monkeypatch.setattr(s3, "_ASK_SECONDS", 1.0)
    bucket = {
        "CARILLON_S3_BUCKET": "carillon",
        "CARILLON_S3_ENDPOINT_URL": silent_server,
        "CARILLON_S3_ACCESS_KEY_ID": "key",
        "CARILLON_S3_SECRET_ACCESS_KEY": "secret",
    }
    with run_api({**own_environ, **bucket}, engine) as api:
        yield api


def test_a_bucket_that_hangs_holds_up_nobody(with_bucket: Api) -> None:
    """Many media messages at once are 503 within seconds; other sends, uploads and reads go on meanwhile."""
    api = with_bucket
    body = {"content_type": "image/png", "filename": "a.png", "size": 5}

    def grant() -> str:
        upload = api.ask("POST", "/media/uploads", headers=api.app(), json=body)
        assert upload.status_code == 200, upload.text
        return str(upload.json()["key"])

    keys = [grant() for _ in range(24)]
    with ThreadPoolExecutor(len(keys)) as pool:
        sending = [pool.submit(api.send, api.app(), content=key, **IMAGE) for key in keys]
        while not all(one.done() for one in sending):
            began = time.monotonic()
            assert api.send(api.person(1), receiver_id=2).status_code == 200
            assert api.ask("GET", "//healthz").status_code == 200
            assert api.ask("GET", "/messages/conversations", headers=api.person(1)).is_success
            assert grant()
            assert time.monotonic() - began < 3
        answers = [one.result() for one in sending]
    assert {answer.status_code for answer in answers} == {503}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
    assert wait_until(lambda: api.send(api.person(1), receiver_id=2).status_code == 200, seconds=5)
