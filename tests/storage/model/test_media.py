"""Media values: the extension of a key says what a browser may do with the object."""

import time
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.errors import Invalid, TooLarge
from storage.model.media import (
    build_key,
    check_upload,
    choose_headers,
    clean_filename,
    compute_signing_instant,
    is_full_url,
    is_key,
    is_media_type,
    is_web_url,
    strip_parameters,
)

pytestmark = pytest.mark.pure

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
    """A key has the extension of a type that is shown, else that of the file name, if it is short and plain."""
    key = build_key("app:7", filename, content_type=content_type, random=RANDOM)
    assert key == f"app-7/{RANDOM}{end}"


@given(owner=st.text(), filename=st.text(), content_type=st.text())
def test_every_key_is_a_key(owner: str, filename: str, content_type: str) -> None:
    """Whatever goes in, what comes out has the form of a key and is shown as something inert."""
    key = build_key(owner, filename, content_type=content_type, random=RANDOM)
    assert is_key(key)
    assert choose_headers(key).content_type.startswith(INERT)


@given(key=st.text())
def test_whatever_is_stored_is_shown_as_something_inert(key: str) -> None:
    """A text that is no key of ours can neither choose its content type nor break the header."""
    shown = choose_headers(key)
    assert shown.content_type.startswith(INERT)
    assert shown.disposition.isascii()
    assert shown.disposition.count('"') in {0, 2}


def test_what_may_be_uploaded() -> None:
    """An upload of a plain type up to the limit is allowed; an empty one, a larger one or one without a type is refused."""
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


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("audio/webm;codecs=opus", "audio/webm"),
        ('video/mp4; codecs="avc1.42E01E, mp4a.40.2"', "video/mp4"),
        ("Image/PNG", "image/png"),
        (" text/plain ;charset=utf-8", "text/plain"),
        ("", "application/octet-stream"),
        (";", "application/octet-stream"),
        (" ", "application/octet-stream"),
    ],
)
def test_a_media_type_loses_its_parameters(written: str, plain: str) -> None:
    """What recorders and browsers call a type becomes the type alone; no type is the unknown one."""
    assert strip_parameters(written) == plain
    assert is_media_type(plain)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("报告 2026.pdf", "报告 2026.pdf"),
        ("C:\\fakepath\\合同.docx", "合同.docx"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nSet-Cookie: x=1.txt", "aSet-Cookie: x=1.txt"),
        ("\x1b[2Jclear.txt", "[2Jclear.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("全角\u3000空格.txt", "全角\u3000空格.txt"),
        ("/", ""),
        ("...", ""),
        ("👩‍💻.png", "👩💻.png"),
        ("字" * 300, "字" * 255),
    ],
)
def test_a_file_name_is_shown_without_what_could_mislead(written: str, plain: str) -> None:
    """Folders, control characters and text-direction marks are left out of a file's name."""
    assert clean_filename(written) == plain


@given(key=st.text(), filename=st.text(st.characters(exclude_categories=["Cs"])))
def test_a_file_is_saved_by_its_own_name(key: str, filename: str) -> None:
    """Content-Disposition carries the name as RFC 6266 says, and nothing of it can break the header."""
    name = clean_filename(filename)
    disposition = choose_headers(key, name).disposition
    assert disposition.isascii() and disposition.isprintable()
    [*_, carried] = disposition.split("filename*=UTF-8''")
    assert (unquote(carried) == name) if name else ("filename*" not in disposition)


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/1.png",
        "HTTP://a.example",
        "http://localhost:8000/a?b=c&d=%E4%BD%A0#e",
        "https://cdn.例子.cn/图片/一.png",
        "https://[2001:db8::1]:8443/a",
        "http://192.0.2.1/a_(b)[c];d=e,f'g!",
        "https://bucket.s3.amazonaws.com/k?X-Amz-Signature=abc%2Fdef",
        "https://a.example./x",
    ],
)
def test_a_web_url_is_taken(url: str) -> None:
    """A whole http(s) URL of any place is one, also with characters beyond ASCII, as browsers have it."""
    assert is_web_url(url)


@pytest.mark.parametrize(
    "text",
    [
        'https://"onerror=alert(1)//',
        'https://a.example/"onerror="alert(1)',
        "https://a.example/<script>",
        "https://a.example/a b",
        "https://a.example/a\nb",
        "https://a.example/a\tb",
        "https://a.example\\@b.example/",
        "https://a.example/\\..",
        "https://user:password@a.example/",
        "https://",
        "https:///a",
        "https://?a",
        "https://..",
        "https://a..b/",
        "https://:80/",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https://a.example:port/",
        "https://[::1/",
        "https://[1]/",
        "https://a.example/%zz",
        "https://a.example/`",
        "https://a.example/{x}",
        "https://a.example/\u202egnp.exe",
        "https://a.example/\u00a0",
        "https://a.example/\u2028",
        "https://a.example/\ud800",
        "javascript:alert(1)",
        "//a.example/x",
        "user-1/" + "0" * 32,
        "",
    ],
)
def test_what_only_begins_like_a_url_is_none(text: str) -> None:
    """Quotes, angle brackets, spaces, control characters, another host before an `@`, no host: no URL."""
    assert not is_web_url(text)


def test_a_url_is_judged_in_one_pass() -> None:
    """The longest content there may be is judged at once, also when its last character is wrong."""
    for piece in ("a", "字", "%41", "a.", "/", "-", "a-", "1:"):
        text = "https://" + piece * (65536 // len(piece))
        for url in (text + '"', "https://a.example/" + text + '"'):
            began = time.perf_counter()
            assert not is_web_url(url)
            assert time.perf_counter() - began < 0.5


@given(now=st.floats(0, 2**33), lifetime=st.integers(10, 7 * 86400))
def test_a_signing_instant_holds_for_a_quarter_of_a_life(now: float, lifetime: int) -> None:
    """The instant is not in the future, at most a quarter of the lifetime old, and then the next comes."""
    since = compute_signing_instant(now, lifetime)
    assert since <= now < since + lifetime / 4 + 1
    assert compute_signing_instant(since, lifetime) == since
    assert compute_signing_instant(since + lifetime // 4, lifetime) == since + lifetime // 4
