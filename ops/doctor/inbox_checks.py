"""Checks of the inbox at `/inbox`."""

from collections.abc import Iterator

from ingest.inbox.bundle import has_page
from ingest.inbox.demo_sign_in import check_deployment
from ingest.settings import InboxSettings
from ops.doctor.findings import Finding, Level, Site
from storage.keys.tokens import TokenSettings
from storage.settings import load


def check_inbox(site: Site) -> Iterator[Finding]:
    """Whether the inbox has its files, and who can sign in without a password; nothing is found where there is no inbox."""
    settings = load(InboxSettings, site.variables)
    check_deployment(settings, load(TokenSettings, site.variables))
    if not settings.is_on:
        return
    if not has_page():
        text = "It is on, and this installation has no files of it: /inbox says so."
        yield Finding("inbox", Level.WARN, text, "make clients, or CARILLON_INBOX=off.")
    elif settings.has_demo:
        text = "On. Everybody on this machine can sign in as one of the demo's three people, without a password."
        yield Finding("inbox", Level.OK, text)
    else:
        yield Finding("inbox", Level.OK, "On; people sign in with their token.")
