"""The local store: a URL does what it was signed for and nothing else, and an object is whole or absent."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.media.local import OBJECTS_PATH, Grant, LocalStore, build_headers
from storage.media.store import make_key
from storage.model.errors import (
    InConflict,
    Invalid,
    NotAllowed,
    NotFound,
    TooLarge,
    TransientError,
)

KEY = "user-2048/0123456789abcdef0123456789abcdef.png"
NOW = 1_800_000_000.0


class Clock:
    """A clock that a test sets."""

    now = NOW

    def __call__(self) -> float:
        """The instant that was set."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock at NOW."""
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> LocalStore:
    """A store in a folder that is not there yet."""
    return make(tmp_path / "media", clock=clock)


def make(folder: Path, *, clock: Clock, key: str = "k", public_url: str = "") -> LocalStore:
    """A store of up to 1000 bytes an object and links for an hour."""
    return LocalStore(
        folder,
        key,
        public_url=public_url,
        url_lifetime=timedelta(hours=1),
        max_bytes=1000,
        clock=clock,
    )


def parts(url: str) -> tuple[str, dict[str, str]]:
    """The key and the query parameters of a URL, as a route sees them."""
    split = urlsplit(url)
    key = split.path.removeprefix(OBJECTS_PATH + "/")
    return key, {name: values[0] for name, values in parse_qs(split.query).items()}


async def stream(*pieces: bytes) -> AsyncIterator[bytes]:
    """A request body that comes in these pieces."""
    for piece in pieces:
        yield piece


def write(store: LocalStore, *pieces: bytes, size: int, key: str = KEY) -> None:
    """Write one object of an upload URL that granted `size` bytes."""
    asyncio.run(store.write(key, stream(*pieces), grant=Grant(size, "image/png")))


def test_an_upload_url_grants_what_was_asked(store: LocalStore) -> None:
    """The URL of an upload verifies as a PUT of that key, size and type."""
    upload = store.upload(KEY, content_type="image/png", size=7)
    key, query = parts(upload.url)
    assert (upload.method, upload.expires_in) == ("PUT", 3600)
    assert upload.headers == {"Content-Type": "image/png"}
    assert key == KEY
    assert store.verify("PUT", key, query=query) == Grant(7, "image/png")


def test_a_download_url_grants_a_download(store: LocalStore) -> None:
    """The URL that shows an object verifies as a GET of that key."""
    key, query = parts(store.url(KEY))
    assert store.verify("GET", key, query=query) == Grant()


@pytest.mark.parametrize("name", ["报告 & '1'.pdf", "a+b%20c.png", "x" * 255])
def test_a_download_url_carries_the_name(store: LocalStore, name: str) -> None:
    """The URL of a named object says the name to the route that serves it, and no other name verifies."""
    key, query = parts(store.url(KEY, filename=name))
    assert store.verify("GET", key, query=query) == Grant(filename=name)
    for changed in ({"name": "other.exe"}, {"name": ""}, {"type": f"\n{name}", "name": ""}):
        with pytest.raises(NotAllowed):
            store.verify("GET", key, query=query | changed)


def test_a_url_is_the_same_for_a_quarter_of_its_life(tmp_path: Path, clock: Clock) -> None:
    """All processes make the same URL for a quarter of its lifetime, and it works for at least three quarters."""
    one, other = make(tmp_path, clock=clock), make(tmp_path, clock=clock)
    seen = []
    for second in range(0, 3600, 60):
        clock.now = NOW + second
        seen.append(one.url(KEY, filename="a.png"))
        assert other.url(KEY, filename="a.png") == seen[-1]
    assert len(set(seen)) in {4, 5}
    clock.now = NOW
    key, query = parts(one.url(KEY))
    clock.now = NOW + 2700
    one.verify("GET", key, query=query)


def test_an_object_is_there_once_it_is_whole(store: LocalStore) -> None:
    """A key that was granted is not there before its upload has succeeded; what is no key never is."""
    assert not asyncio.run(store.has_object(KEY))
    with pytest.raises(Invalid):
        write(store, b"abc", size=7)
    assert not asyncio.run(store.has_object(KEY))
    write(store, b"abcdefg", size=7)
    assert asyncio.run(store.has_object(KEY))
    assert not asyncio.run(store.has_object("../../etc/passwd"))


def test_urls_start_where_clients_reach_the_api(tmp_path: Path, clock: Clock) -> None:
    """With a public URL the links are absolute, without one relative."""
    absolute = make(tmp_path, clock=clock, public_url="https://im.example/")
    assert absolute.url(KEY).startswith(f"https://im.example{OBJECTS_PATH}/{KEY}?")
    assert make(tmp_path, clock=clock).url(KEY).startswith(f"{OBJECTS_PATH}/{KEY}?")


def test_older_data_passes_through(store: LocalStore) -> None:
    """Content that is a full URL already is shown unchanged (contract §4)."""
    assert store.url("https://old.example/a.png") == "https://old.example/a.png"


@pytest.mark.parametrize(
    "change",
    [
        {"size": "8"},
        {"size": "0"},
        {"size": "x"},
        {"size": "٧"},
        {"type": "text/html"},
        {"expires": "1999999999"},
        {"expires": ""},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é"},
        {"signature": "\ud800"},
    ],
)
def test_a_changed_upload_url_is_refused(store: LocalStore, change: dict[str, str]) -> None:
    """Another size, type, expiry or signature than was signed is refused."""
    key, query = parts(store.upload(KEY, content_type="image/png", size=7).url)
    with pytest.raises(NotAllowed):
        store.verify("PUT", key, query=query | change)


def test_a_url_is_for_one_method_and_key(store: LocalStore) -> None:
    """A link to see does not write, a link to write does not show, and neither is for another key."""
    key, reading = parts(store.url(KEY))
    _, writing = parts(store.upload(KEY, content_type="image/png", size=7).url)
    for method, name, query in [
        ("PUT", key, reading),
        ("GET", key, writing),
        ("GET", key.replace("2048", "2049"), reading),
        ("PUT", key.replace(".png", ".html"), writing),
        ("GET", key, {}),
    ]:
        with pytest.raises(NotAllowed):
            store.verify(method, name, query=query)


def test_a_url_ends(store: LocalStore, clock: Clock) -> None:
    """An hour after it was made a link is refused, a second before it is not."""
    key, query = parts(store.upload(KEY, content_type="image/png", size=7).url)
    clock.now = NOW + 3599
    store.verify("PUT", key, query=query)
    clock.now = NOW + 3601
    with pytest.raises(NotAllowed, match="expired"):
        store.verify("PUT", key, query=query)


def test_another_signing_key_is_another_store(tmp_path: Path, clock: Clock) -> None:
    """Links of one signing key are not valid with another."""
    key, query = parts(make(tmp_path, clock=clock, key="one").url(KEY))
    with pytest.raises(NotAllowed):
        make(tmp_path, clock=clock, key="two").verify("GET", key, query=query)


@pytest.mark.parametrize(
    "key",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "../../etc/passwd",
        "user-1/../../etc/passwd",
        "user-1/..",
        "user-1/" + "0" * 32 + "/../x",
        "user-1/" + "0" * 32 + ".png/x",
        "user-1//" + "0" * 32,
        "user-1/" + "0" * 31,
        "user-1/" + "0" * 32 + ".",
        "user-1/" + "0" * 32 + ".p/g",
        "user-1/" + "0" * 32 + ".png\n",
        "user-1/" + "0" * 32 + "\x00",
        "user-1/" + "0" * 32 + "%2e",
        "user-1\\" + "0" * 32,
        "User-1/" + "0" * 32,
        "-/" + "0" * 32,
        ".hidden/" + "0" * 32,
    ],
)
def test_what_is_no_key_leads_nowhere(store: LocalStore, key: str) -> None:
    """A key that leaves the folder, or has any other form than ours, has no path and no valid URL."""
    with pytest.raises(NotFound):
        store.path_of(key)
    with pytest.raises(NotAllowed):
        store.verify("GET", key, query=parts(store.url(key))[1])


@given(owner=st.text(), filename=st.text(), content_type=st.text())
def test_every_new_key_stays_in_the_folder(owner: str, filename: str, content_type: str) -> None:
    """Whatever the owner, file name and type, a new key has a path, two levels below the folder."""
    folder = Path("/media")
    key = make_key(owner, filename, content_type=content_type)
    path = make(folder, clock=Clock()).path_of(key)
    assert path.parent.parent == folder


def test_what_was_written_is_there(store: LocalStore) -> None:
    """All pieces of an upload, in order, are the object; nothing else is left in the folder."""
    write(store, b"abc", b"", b"defg", size=7)
    path = store.find_path(KEY)
    assert path.read_bytes() == b"abcdefg"
    assert list(path.parent.iterdir()) == [path]


def test_an_upload_that_is_too_long_leaves_nothing(store: LocalStore) -> None:
    """More bytes than announced: refused while they come, and nothing is kept."""
    endless = (b"x" * 100 for _ in range(10**9))

    async def flood() -> AsyncIterator[bytes]:
        for piece in endless:
            yield piece

    with pytest.raises(TooLarge):
        asyncio.run(store.write(KEY, flood(), grant=Grant(250, "image/png")))
    assert list(store.path_of(KEY).parent.iterdir()) == []


def test_an_upload_that_is_too_short_leaves_nothing(store: LocalStore) -> None:
    """Fewer bytes than announced: refused, and nothing is kept."""
    with pytest.raises(Invalid):
        write(store, b"abc", size=7)
    with pytest.raises(NotFound):
        store.find_path(KEY)


def test_an_upload_that_breaks_off_leaves_nothing(store: LocalStore) -> None:
    """A client that goes away in the middle leaves no object and no rest of one."""

    async def broken() -> AsyncIterator[bytes]:
        yield b"abc"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        asyncio.run(store.write(KEY, broken(), grant=Grant(7, "image/png")))
    assert list(store.path_of(KEY).parent.iterdir()) == []


def test_an_object_is_written_once(store: LocalStore) -> None:
    """An upload URL used again does not change what a message may show already."""
    write(store, b"first", size=5)
    with pytest.raises(InConflict):
        write(store, b"other", size=5)
    assert store.find_path(KEY).read_bytes() == b"first"


def test_of_two_uploads_at_once_one_wins(store: LocalStore) -> None:
    """Two simultaneous uploads of a key: one object, whole, and one conflict."""

    async def both() -> list[object]:
        grant = Grant(5, "image/png")
        writes = [store.write(KEY, stream(data), grant=grant) for data in (b"first", b"other")]
        return list(await asyncio.gather(*writes, return_exceptions=True))

    answers = asyncio.run(both())
    assert sorted(type(answer).__name__ for answer in answers) == ["InConflict", "NoneType"]
    assert store.find_path(KEY).read_bytes() in {b"first", b"other"}


def test_nothing_uploaded_can_run_on_our_origin() -> None:
    """Pages, SVG, scripts and the unknown are downloads; an image is an image; nothing is sniffed."""
    name = "0" * 32
    for extension in (".html", ".htm", ".svg", ".xhtml", ".xml", ".js", ".pdf", ".x", ""):
        headers = build_headers(f"user-1/{name}{extension}")
        assert headers["Content-Type"] == "application/octet-stream"
        assert headers["Content-Disposition"] == f'attachment; filename="{name}{extension}"'
    headers = build_headers(KEY)
    assert (headers["Content-Type"], headers["Content-Disposition"]) == ("image/png", "inline")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]


def test_a_deleted_object_is_gone(store: LocalStore) -> None:
    """Deleting is safe to repeat, and touches nothing outside the folder."""
    write(store, b"1", size=1)
    store.delete(KEY)
    assert not asyncio.run(store.has_object(KEY))
    store.delete(KEY)
    store.delete("../media")


def test_nothing_is_deleted_where_the_folder_is_not(store: LocalStore) -> None:
    """A machine without the folder says so, and does not pass for one that has deleted."""
    with pytest.raises(TransientError, match="not on this machine"):
        store.delete(KEY)
    store.prepare()
    store.delete(KEY)
