"""The page at /inbox: where it is, what it may load, and what it is told."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urljoin

import pytest
from sqlalchemy import Engine

from ingest.app import create_app
from ingest.inbox.content_policy import build_policy, find_media_origins
from storage.media.store import MediaSettings, make_media_store
from storage.settings import load
from tests.ingest.api_server import Api, run_api
from tests.ingest.inbox.bundle import SCRIPT
from tests.ingest.routes.test_documents import Tags


def find_script(page: str, *, at: str) -> str:
    """The address of the page's script, as a browser that shows the page at `at` works it out."""
    base = at
    for tag in Tags(page).found:
        if tag["tag"] == "base":
            base = urljoin(at, tag["href"] or "")
        if tag["tag"] == "script":
            return urljoin(base, tag["src"] or "")
    raise AssertionError(page)


@pytest.mark.parametrize("path", ["/inbox", "/inbox/", "/inbox?a=1"])
def test_the_page_is_there_with_and_without_the_slash(inbox: Api, path: str) -> None:
    """Both spellings show the page at once, and from both a browser finds its script, behind a proxy's path too."""
    answer = inbox.client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache"
    script = find_script(answer.text, at=f"https://portal.example/messages{path}")
    assert script == "https://portal.example/messages/inbox/assets/inbox.js"
    file = inbox.client.get("/inbox/assets/inbox.js")
    assert (file.status_code, file.text) == (200, SCRIPT)
    assert file.headers["Content-Type"].startswith("text/javascript")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    known = {"If-None-Match": file.headers["ETag"]}
    assert inbox.client.get("/inbox/assets/inbox.js", headers=known).status_code == 304


def test_the_page_may_load_from_its_own_host_only(inbox: Api) -> None:
    """Nothing inline runs, nothing comes from or goes to another host, and nobody may frame the page."""
    for path in ("/inbox", "/inbox/"):
        headers = inbox.client.get(path).headers
        policy = read_policy(headers["Content-Security-Policy"])
        assert policy["default-src"] == ["'none'"]
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == ["'self'"]
        assert policy["img-src"] == ["'self'", "data:", "blob:"]
        assert policy["frame-ancestors"] == policy["form-action"] == ["'none'"]
        assert policy["require-trusted-types-for"] == ["'script'"]
        assert headers["Referrer-Policy"] == "no-referrer"


def read_policy(text: str) -> dict[str, list[str]]:
    """A Content-Security-Policy by its directives."""
    return {name: sources for name, *sources in (one.split() for one in text.split(";"))}


BUCKET = {
    "CARILLON_S3_BUCKET": "files",
    "CARILLON_S3_ACCESS_KEY_ID": "id",
    "CARILLON_S3_SECRET_ACCESS_KEY": "secret",
}


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        ({"CARILLON_MEDIA_KEY": "k" * 32}, None),
        (
            {"CARILLON_MEDIA_KEY": "k" * 32, "CARILLON_PUBLIC_URL": "https://m.example"},
            "https://m.example",
        ),
        (
            {**BUCKET, "CARILLON_S3_ENDPOINT_URL": "http://s3.example:9000"},
            "http://s3.example:9000",
        ),
        (
            {**BUCKET, "CARILLON_S3_REGION": "eu-central-1"},
            "https://files.s3.eu-central-1.amazonaws.com",
        ),
    ],
)
def test_pictures_may_come_from_where_media_is(
    tmp_path: Path, settings: dict[str, str], origin: str | None
) -> None:
    """The origin of the deployment's media store, and no other, is allowed for pictures, videos and uploads."""
    settings = {**settings, "CARILLON_DATA_DIR": str(tmp_path)}
    origins = find_media_origins(make_media_store(load(MediaSettings, settings)))
    policy = read_policy(build_policy(origins))
    more = [] if origin is None else [origin]
    assert policy["connect-src"] == ["'self'", *more]
    assert policy["img-src"] == ["'self'", "data:", "blob:", *more]
    assert policy["media-src"] == ["'self'", "blob:", *more]


def test_html_is_shown_with_its_policy_only(inbox: Api, files: Path) -> None:
    """No spelling of the page's file, and no other HTML, is served beside the page's own two addresses."""
    (files / "other.HTML").write_text("<script>1</script>")
    for path in ("index.html", "INDEX.HTML", "./index.html", "other.HTML", "assets/../index.html"):
        assert inbox.client.get(f"/inbox/{path}").status_code == 404, path


@pytest.mark.parametrize(
    "path", ["/inbox/nowhere.js", "/inboxes", "/inbox/%2e%2e/bundle.py", "/inbox/..%2fbundle.py"]
)
def test_what_is_not_there_is_an_error_like_any_other(inbox: Api, path: str) -> None:
    """Beside the page's files there is nothing, and the answer has the form of every error."""
    answer = inbox.client.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "UNKNOWN_PATH"


def test_without_the_setting_there_is_no_inbox(shared_api: Api) -> None:
    """By default there is no page, no configuration, no sign-in, and the start page does not speak of an inbox."""
    for path in ("/inbox", "/inbox/", "/inbox/config.json", "/inbox/assets/inbox.js"):
        assert shared_api.client.get(path).status_code == 404
    assert shared_api.client.post("/inbox/demo/sign-in", json={"id": 1}).status_code == 404
    assert "inbox/" not in shared_api.client.get("/").text


def test_the_start_page_leads_to_it(inbox: Api) -> None:
    """Where there is an inbox, the start page links it."""
    assert 'href="inbox/"' in inbox.client.get("/").text


def test_without_a_demo_nobody_signs_in_without_a_password(inbox: Api) -> None:
    """An inbox alone names no demo people and has no such sign-in."""
    assert inbox.client.get("/inbox/config.json").json() == {"demo_people": None}
    origin = str(inbox.client.base_url).rstrip("/")
    answer = inbox.client.post("/inbox/demo/sign-in", json={"id": 1}, headers={"Origin": origin})
    assert answer.status_code == 405
    assert "token" not in answer.json()


def test_an_installation_without_the_files_says_so(
    files: Path, own_environ: Mapping[str, str], engine: Engine
) -> None:
    """Where the page was not built, a page says so and names the command, and everything else works."""
    (files / "index.html").unlink()
    with run_api({**own_environ, "CARILLON_INBOX": "on"}, engine) as api:
        for path in ("/inbox", "/inbox/"):
            answer = api.client.get(path)
            assert answer.status_code == 404
            assert "make clients" in answer.text
            assert answer.headers["Content-Type"].startswith("text/html")
        assert api.client.get("/inbox/assets/inbox.js").status_code == 404
        assert api.client.get("/healthz").status_code == 200


def test_an_inbox_needs_no_other_setting(own_environ: Mapping[str, str]) -> None:
    """It is switched on by one variable; what is no yes or no is refused at the start."""
    create_app({**own_environ, "CARILLON_INBOX": "on"})
    with pytest.raises(Exception, match="CARILLON_INBOX='perhaps'"):
        create_app({**own_environ, "CARILLON_INBOX": "perhaps"})
