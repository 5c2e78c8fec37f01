"""Media values: the extension of a key says what a browser may do with the object."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.errors import Invalid, TooLarge
from storage.model.media import check_upload, is_full_url, is_key, media_key, shown_as

RANDOM = "0123456789abcdef" * 2
INERT = ("application/octet-stream", "image/", "audio/", "video/")


@pytest.mark.parametrize(
    ("filename", "content_type", "end"),
    [
        ("a.png", "image/png", ".png"),
        ("a.JPG", "image/jpeg", ".jpg"),
        ("a.jpeg", "IMAGE/JPEG", ".jpeg"),
        ("照片", "image/png", ".png"),
        ("a.html", "image/png", ".png"),
        ("a.png", "text/html", ".png"),
        ("a.html", "text/html", ".html"),
        ("报告.pdf", "application/pdf", ".pdf"),
        ("a.tar.gz", "application/gzip", ".gz"),
        ("a", "application/zip", ""),
        ("", "", ""),
        (".png", "", ".png"),
        ("a.文档", "", ""),
        ("a.toolongext", "", ""),
        ("a.p/../g", "", ""),
        ("a.png\x00", "", ""),
    ],
)
def test_the_extension_of_a_key(filename: str, content_type: str, end: str) -> None:
    """A type that is shown decides; else the file name's extension, if it is short and plain."""
    key = media_key("app:7", filename, content_type=content_type, random=RANDOM)
    assert key == f"app-7/{RANDOM}{end}"


@given(owner=st.text(), filename=st.text(), content_type=st.text())
def test_every_key_is_a_key(owner: str, filename: str, content_type: str) -> None:
    """Whatever goes in, what comes out has the form of a key and is shown as something inert."""
    key = media_key(owner, filename, content_type=content_type, random=RANDOM)
    assert is_key(key)
    assert shown_as(key).content_type.startswith(INERT)


@given(key=st.text())
def test_whatever_is_stored_is_shown_as_something_inert(key: str) -> None:
    """Also text that is no key of ours cannot choose its type or break the header."""
    shown = shown_as(key)
    assert shown.content_type.startswith(INERT)
    assert shown.disposition.isascii()
    assert shown.disposition.count('"') in {0, 2}


def test_what_may_be_uploaded() -> None:
    """Up to the limit, of a plain type: taken; empty, over it, or without one: refused."""
    check_upload("image/svg+xml", 10, max_bytes=10)
    with pytest.raises(TooLarge):
        check_upload("image/png", 11, max_bytes=10)
    for content_type, size in [("image/png", 0), ("image/png", -1), ("", 1), ("a/b/c", 1)]:
        with pytest.raises(Invalid):
            check_upload(content_type, size, max_bytes=10)


def test_a_full_url_is_told_from_a_key() -> None:
    """Only http and https make a full URL; a key never does."""
    assert is_full_url("https://a.b/c")
    assert is_full_url("HTTP://a.b/c")
    assert not is_full_url(f"user-1/{RANDOM}.png")
    assert not is_full_url("javascript:alert(1)")
