"""Asking a console what its page asks."""

import httpx

from tests.ingest.api_server import Api

TOKEN = "the operator's token of these tests"
CHANGES = {"X-Carillon-Console": "1"}


def get(api: Api, path: str) -> httpx.Response:
    """Ask what the page asks."""
    return api.client.get(f"/console/api/{path}")


def post(api: Api, path: str) -> httpx.Response:
    """Do what the page does."""
    return api.client.post(f"/console/api/{path}", headers=CHANGES)
