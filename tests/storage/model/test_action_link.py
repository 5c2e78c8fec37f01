"""Action links: jump links come back as they went out, and nothing hostile passes for an app's own page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.model.action_link import (
    JumpLink,
    build_callback_link,
    build_jump_link,
    is_absolute_url,
    is_allowed_target,
    is_button_url,
    is_redirect_host,
    parse_jump_link,
)

pytestmark = pytest.mark.pure

CALLBACK = "https://app.example.com/callback"
HOSTS = ("biz.example.com", "*.wild.example.com", "ports.example.com:8443", "10.0.0.7", "例子.cn")

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)

# Fault row 33. Grouped by the trick; every one is refused.
HOSTILE = [
    # not absolute http(s)
    "",
    "/",
    "/todo/123",
    "todo/123",
    "//biz.example.com/",
    "///biz.example.com/",
    "biz.example.com/todo",
    "javascript:alert(1)",
    "JaVaScRiPt://biz.example.com/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file://biz.example.com/etc/passwd",
    "ftp://biz.example.com/",
    "ws://biz.example.com/",
    "blob:https://biz.example.com/1",
    "view-source:https://biz.example.com/",
    # slashes that browsers repair
    "https:/biz.example.com/",
    "https:biz.example.com/",
    "https:///biz.example.com/",
    "https:////evil.example/",
    "https:\\\\biz.example.com\\",
    "https:/\\evil.example/",
    "https://\\evil.example/",
    "https://evil.example\\.biz.example.com/",
    "https://evil.example\\@biz.example.com/",
    "https://biz.example.com\\@evil.example/",
    "https://biz.example.com\\.evil.example/",
    "https://biz.example.com/\\evil.example",
    "https://biz.example.com//evil.example/",
    "https://biz.example.com?\\evil.example",
    # userinfo
    "https://biz.example.com@evil.example/",
    "https://biz.example.com:443@evil.example/",
    "https://biz.example.com:pass@evil.example/",
    "https://user@biz.example.com/",
    "https://user:pass@biz.example.com/",
    "https://@biz.example.com/",
    "https://evil.example@@biz.example.com/",
    "https://biz.example.com%40evil.example/",
    "https://biz.example.com%2540evil.example/",
    "https://evil.example?@biz.example.com/",
    "https://evil.example#@biz.example.com/",
    "https://biz.example.com#@evil.example/",
    "https://biz.example.com?@evil.example/",
    # whose host it really is
    "https://evil.example/",
    "https://evil.example/biz.example.com",
    "https://evil.example/https://biz.example.com/",
    "https://evil.example?biz.example.com",
    "https://evil.example#biz.example.com",
    "https://biz.example.com.evil.example/",
    "https://evilbiz.example.com/",
    "https://evil-biz.example.com/",
    "https://example.com/",
    "https://sub.biz.example.com/",
    "https://sub.app.example.com/",
    "https://biz.example.co",
    "https://biz-example.com/",
    "https://bizXexample.com/",
    # subdomain patterns
    "https://wild.example.com/",
    "https://evilwild.example.com/",
    "https://.wild.example.com/",
    "https://a..wild.example.com/",
    "https://*.wild.example.com/",
    "https://a.wild.example.com.evil.example/",
    "https://evil.example/.wild.example.com/",
    "https://evil.example#.wild.example.com/",
    "https://evil.example%23.wild.example.com/",
    "https://evil.example%2f.wild.example.com/",
    "https://evil.example%00.wild.example.com/",
    "https://evil.example\x00.wild.example.com/",
    "https://evil.example／.wild.example.com/",
    "https://evil.example？.wild.example.com/",
    "https://evil.example＃.wild.example.com/",
    "https://evil.example℀.wild.example.com/",
    "https://evil.example;.wild.example.com/",
    "https://evil.example&.wild.example.com/",
    "https://evil.example'.wild.example.com/",
    "https://evil.example|.wild.example.com/",
    "https://evil.example^.wild.example.com/",
    "https://[evil.example].wild.example.com/",
    # encodings of the host
    "https://%62iz.example.com/",
    "https://biz%2Eexample.com/",
    "https://biz.example.com%2F@evil.example/",
    "https://biz.example.com%5Cevil.example/",
    "https://biz。example。com/",
    "https://biz．example．com/",
    "https://ｂiz.example.com/",
    "https://bız.example.com/",
    "https://bi\u200bz.example.com/",
    "https://bi\u00adz.example.com/",
    "https://ʙiz.example.com/",
    "https://例子.cn/",
    "https://biz.example.com./",
    "https://biz.example.com../",
    "https://biz.example.com。/",
    # characters that browsers drop, and others drop differently
    " https://biz.example.com/",
    "https://biz.example.com/ ",
    "\thttps://biz.example.com/",
    "\x01https://biz.example.com/",
    "ht\ntps://biz.example.com/",
    "https:/\n/biz.example.com/",
    "https://evil.example\t.wild.example.com/",
    "https://evil.example\r\n.wild.example.com/",
    "https://biz.example.com/\r\nSet-Cookie: a=b",
    "https://biz.example.com/\n",
    "https://biz.example.com/a b",
    "https://biz.example.com/\x7f",
    "https://biz.example.com/\x85",
    "https://biz.example.com/\u2028",
    "https://biz.example.com/\u202e/moc.live",
    "https://biz.example.com/\ufeff",
    "https://biz.example.com/\ud800",
    "https://biz.example.com\u3000/",
    # ports
    "https://biz.example.com:/",
    "https://biz.example.com:0/",
    "https://biz.example.com:65536/",
    "https://biz.example.com:443:443/",
    "https://biz.example.com:-443/",
    "https://biz.example.com:+443/",
    "https://biz.example.com:４４３/",
    "https://biz.example.com:80evil.example/",
    "https://biz.example.com:80.evil.example/",
    "https://ports.example.com/",
    "https://ports.example.com:443/",
    "https://ports.example.com:84430/",
    # numbers as hosts
    "http://10.0.0.8/",
    "http://010.0.0.7/",
    "http://10.7/",
    "http://167772167/",
    "http://0xa000007/",
    "http://0xa.0.0.7/",
    "http://10.0.0.7./",
    "http://10.0.0.7.wild.example.com@127.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:10.0.0.7]/",
    "http://127.0.0.1/",
    "http://localhost/",
    "http://169.254.169.254/latest/meta-data/",
]

GOOD = [
    "https://biz.example.com",
    "https://biz.example.com/",
    "http://biz.example.com/todo/123",
    "HTTPS://BIZ.Example.COM/Todo",
    "https://biz.example.com:8443/x",
    "https://biz.example.com/待办/一?名=值#段",
    "https://biz.example.com/a%20b?x=1&y=%2F%2F&z=a@b.c#/route//x",
    "https://biz.example.com?id=3",
    "https://biz.example.com#/spa/3",
    "https://biz.example.com/go/https://other.example/",
    "https://app.example.com/",
    "https://app.example.com:9000/another/page",
    "https://a.wild.example.com/",
    "https://a.b-c.d_e.wild.example.com/",
    "https://ports.example.com:8443/",
    "http://10.0.0.7:8080/",
    "https://xn--fsqu00a.cn/",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_target_is_refused(url: str) -> None:
    """No URL of the corpus is taken for one of the app's pages (fault row 33)."""
    assert not is_allowed_target(url, callback_url=CALLBACK, redirect_hosts=HOSTS)


@pytest.mark.parametrize("url", GOOD)
def test_an_app_s_own_page_is_allowed(url: str) -> None:
    """A plain URL on the callback's host, a registered host or below a pattern is allowed."""
    assert is_allowed_target(url, callback_url=CALLBACK, redirect_hosts=HOSTS)


def test_the_corpus_is_large_enough() -> None:
    """The corpus holds at least the 60 URLs that the fault matrix asks for, none twice."""
    assert len(set(HOSTILE)) == len(HOSTILE) >= 60


@pytest.mark.parametrize(
    "host", ["", "*", "*.", "*.*", "a b", "http://a.b", "a/b", "*.1", "1.2", "straße.de"]
)
def test_what_is_no_host_cannot_be_registered(host: str) -> None:
    """An entry that is no host, pattern or host and port is refused, and matches nothing if stored."""
    assert not is_redirect_host(host)
    for url in GOOD:
        assert not is_allowed_target(url, callback_url="", redirect_hosts=[host])


@pytest.mark.parametrize("host", [*HOSTS, "localhost", "*.例子.cn", "UPPER.example", "a.example."])
def test_what_is_a_host_can_be_registered(host: str) -> None:
    """Hosts, patterns, addresses, ports and names in Chinese can be registered."""
    assert is_redirect_host(host)


def test_a_pattern_never_matches_an_address() -> None:
    """`*.7` is no pattern and `*.example` is none for addresses."""
    assert not is_allowed_target(
        "http://10.0.0.7/", callback_url="", redirect_hosts=["*.0.0.7", "*.7"]
    )


def test_nothing_is_allowed_to_an_app_without_hosts() -> None:
    """Without a usable callback and registered hosts no target is allowed."""
    assert not is_allowed_target(GOOD[0], callback_url="not a url", redirect_hosts=())


def test_the_jump_link_is_the_client_document_s() -> None:
    """The link has exactly the form of the client document's example."""
    assert build_jump_link("oa_system", "https://biz.example.com/todo/123") == (
        "/api/v1/simple/sso/jump?app_id=oa_system"
        "&redirect_to=https%3A%2F%2Fbiz.example.com%2Ftodo%2F123"
    )


@given(app_id=texts, target=texts)
def test_a_jump_link_round_trips(app_id: str, target: str) -> None:
    """Whatever goes into a jump link comes out of it unchanged, and it is a button."""
    link = build_jump_link(app_id, target)
    assert parse_jump_link(link) == JumpLink(app_id, target)
    assert is_button_url(link)


@given(url=st.text())
def test_any_text_is_judged_without_an_error(url: str) -> None:
    """Checking and parsing a link never raise, whatever the text."""
    assert not is_allowed_target(url, callback_url=CALLBACK, redirect_hosts=())
    is_button_url(url)
    is_redirect_host(url)
    is_allowed_target(GOOD[0], callback_url=url, redirect_hosts=[url])


@pytest.mark.parametrize(
    "url",
    [
        "https://host.example/api/v1/simple/sso/jump?app_id=a&redirect_to=b",
        "//evil.example/api/v1/simple/sso/jump?app_id=a&redirect_to=b",
        "/api/v1/simple/sso/jump/?app_id=a&redirect_to=b",
        "/api/v1/simple/sso/jump",
        "/api/v1/simple/sso/jump?app_id=a",
        "/api/v1/simple/sso/jump?redirect_to=b",
        "/api/v1/simple/sso/jump?app_id=&redirect_to=b",
        "/api/v1/simple/sso/jump?app_id=a&app_id=c&redirect_to=b",
        "/api/v1/simple/sso/jump?app_id=a&redirect_to=b&redirect_to=c",
        "/api/v1/simple/sso/jump?app_id=a&redirect_to=b#c",
        "/api/v1/simple/sso/jump?app_id=a&redirect_to=b c",
        "/api/v1/simple/sso/jump?app_id=a&redirect_to=\\evil",
        "/api/v1/simple/sso/jump?app_id=a&redirect_to=%ff",
        "/api/v1/simple/sso/../sso/jump?app_id=a&redirect_to=b",
        "/api/v1/simple/sso/jump?" + "x&" * 30 + "app_id=a&redirect_to=b",
    ],
)
def test_what_is_not_our_jump_link_is_none(url: str) -> None:
    """Other hosts, other paths, missing, empty or doubled parameters: not our link."""
    assert parse_jump_link(url) is None


def test_the_order_of_parameters_does_not_matter() -> None:
    """A sender may write the parameters in any order, with others among them."""
    url = "/api/v1/simple/sso/jump?x=1&redirect_to=https%3A%2F%2Fa.b&app_id=oa"
    assert parse_jump_link(url) == JumpLink("oa", "https://a.b")


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/other", "//a.b", "https://a@b/", "https://"]
)
def test_a_button_leads_to_http_or_to_our_jump(url: str) -> None:
    """A button's URL is absolute http(s) or our jump link; nothing else."""
    assert is_button_url("https://anywhere.example/x")
    assert is_absolute_url("https://anywhere.example/x")
    assert not is_button_url(url)


@pytest.mark.parametrize(
    ("callback", "link"),
    [
        ("https://a.b/cb", "https://a.b/cb?ticket=t&next=https%3A%2F%2Fc.d%2F%3Fe%3D1"),
        ("https://a.b/cb?", "https://a.b/cb?ticket=t&next=https%3A%2F%2Fc.d%2F%3Fe%3D1"),
        ("https://a.b/cb?x=1", "https://a.b/cb?x=1&ticket=t&next=https%3A%2F%2Fc.d%2F%3Fe%3D1"),
        ("https://a.b/cb?x=1&", "https://a.b/cb?x=1&ticket=t&next=https%3A%2F%2Fc.d%2F%3Fe%3D1"),
        (
            "https://a.b/回调?é=%e4#片",
            "https://a.b/%E5%9B%9E%E8%B0%83?%C3%A9=%e4&ticket=t&next=https%3A%2F%2Fc.d%2F%3Fe%3D1#%E7%89%87",
        ),
        ("https://a.b/#/cb", "https://a.b/?ticket=t&next=https%3A%2F%2Fc.d%2F%3Fe%3D1#/cb"),
    ],
)
def test_a_callback_keeps_its_query(callback: str, link: str) -> None:
    """The ticket and the percent-encoded next page are added to the callback's own query."""
    assert build_callback_link(callback, ticket="t", next="https://c.d/?e=1") == link


def test_a_callback_without_a_next_page() -> None:
    """Signing on without a page to go to adds the ticket alone (client document, sso-login)."""
    assert build_callback_link("https://oa.example.com/callback", ticket="abc123") == (
        "https://oa.example.com/callback?ticket=abc123"
    )
