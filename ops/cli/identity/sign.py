"""`carillon sign`: the headers of an app's call, and lines of curl that work when they are pasted (contract §1).

For integrators: what Carillon computes is compared with what their own code computes. With `--secret` it needs neither a
database nor a running stack.
"""

import json
import secrets
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import click
import httpx

from carillon_client.signing import make_app_headers, make_request_headers, make_signed_text
from ops.cli.identity.callers import find_api_url, find_secret
from ops.cli.servers import open_database
from ops.cli.terminal.printing import say, say_json
from storage.model.message import MAX_ID
from storage.postgres.people import apps, directory

_PREFIX = "/api/v1"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LONGEST_SECRET = 4096


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it is shown: `name` in JSON, `text` beside the line; `body` as curl's `-d` takes it."""

    name: str
    text: str
    method: str
    path: str
    body: str | None = None


@click.command()
@click.option("--app", "app_id", metavar="APP_ID", required=True, help="The app that calls.")
@click.option(
    "--secret", help="Its secret; `-` reads it from stdin. If not given: from the database."
)
@click.option(
    "--to", "receiver", metavar="USER_ID", type=click.IntRange(1, MAX_ID), help="Who gets it."
)
@click.option("--path", help="Show this call alone, such as /broadcasts.")
@click.option("--method", type=click.Choice(_METHODS), help="Of that call; POST if it has a body.")
@click.option("--body", help="The body of that call: JSON, or @FILE as curl takes it.")
@click.option("--url", help="Where the API is; the running stack if not given.")
@click.option("--headers", "only_headers", is_flag=True, help="Print the headers alone.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--sign-version",
    type=click.Choice(["1", "2"]),
    default="1",
    show_default=True,
    help="2 covers the whole request, which works once; it goes with --path.",
)
def sign(
    *, app_id: str, only_headers: bool, as_json: bool, sign_version: str, **options: Any
) -> None:
    """Print the headers that sign an app's call now, and curl lines to paste.

    The API takes them for five minutes; sign every call anew. In a script: curl -H @<(carillon sign --app X --headers) ...
    """
    if not app_id or not app_id.isprintable():
        raise click.UsageError("The app id is empty or has control characters.")
    if options["path"] is None and (options["method"] or options["body"] is not None):
        raise click.UsageError("--method and --body go with --path.")
    if sign_version == "2":
        _check_whole(options["path"], options["body"])
    secret = _read_secret(app_id, options["secret"])
    headers = make_app_headers(app_id, secret, now=time.time())
    if sign_version == "2":
        headers = _sign_whole(_make_call(**options), app_id, secret)
    if only_headers:
        say(_write_headers(headers))
        return
    receiver = options["receiver"] or (None if options["secret"] else _find_receiver(app_id))
    calls = [*_list_calls(receiver)] if options["path"] is None else [_make_call(**options)]
    url = find_api_url(options["url"])
    lines = {call.name: _write_curl(call, url=url, headers=headers) for call in calls}
    if as_json:
        signed = make_signed_text(app_id, headers["X-Timestamp"]) if sign_version == "1" else None
        say_json({"headers": headers, "signed": signed, "curl": lines})
    else:
        say(_write_headers(headers))
        for call in calls:
            say(f"\n# {call.text}\n{lines[call.name]}" if call.text else f"\n{lines[call.name]}")
    if options["path"] is None and receiver is None:
        say("To see a send to one person as well, name them: --to USER_ID.", err=True)


def _check_whole(path: str | None, body: str | None) -> None:
    if path is None:
        raise click.UsageError("--sign-version 2 signs one request: name it with --path.")
    if body is not None and body.startswith("@"):
        raise click.UsageError(
            "--sign-version 2 covers the body's bytes: give them here, not a file."
        )


def _sign_whole(call: Call, app_id: str, secret: bytes) -> dict[str, str]:
    """The headers of version 2 for this call, as curl sends it."""
    body = None if call.body is None else call.body.encode()
    # Any host: it is not signed.
    request = httpx.Request(call.method, f"http://api{_PREFIX}{call.path}", content=body)
    nonce = secrets.token_hex(16)
    return make_request_headers(request, app_id, secret=secret, now=time.time(), nonce=nonce)


def _read_secret(app_id: str, given: str | None) -> bytes:
    """The secret that was given, on stdin if it is `-`, else the app's newest in the database."""
    if given is None:
        return find_secret(app_id)
    text = sys.stdin.read(_LONGEST_SECRET).strip() if given == "-" else given
    if not text:
        raise click.UsageError("The secret is empty.")
    return text.encode()


def _find_receiver(app_id: str) -> int | None:
    """Somebody to whom the app can send, so that the line works as it stands; None if there is nobody."""
    with open_database() as database:
        found = database.transaction(apps.find, app_id)
        if found is None:
            return None
        return database.transaction(directory.find_any_active, app_id=found.id)


def _list_calls(receiver: int | None) -> Iterator[Call]:
    words = {"type": "NOTIFICATION", "title": "审批通知", "content": "您有一条待审批任务"}
    yield Call(
        "check",
        "Is the signature good? Your latest broadcast; it sends nothing.",
        "GET",
        "/broadcasts?limit=1",
    )
    if receiver is None:
        yield Call("broadcast", "A broadcast, to everyone.", *_post(words | {"is_broadcast": True}))
        return
    yield Call(
        "send",
        f"A notification to person {receiver}.",
        *_post(words | {"receiver_id": receiver}),
    )
    yield Call(
        "broadcast",
        f"A broadcast, to person {receiver} alone; without `audience` it goes to everyone.",
        *_post(words | {"is_broadcast": True, "audience": {"user_ids": [receiver]}}),
    )


def _post(body: dict[str, Any]) -> tuple[str, str, str]:
    return "POST", "/messages/", json.dumps(body, ensure_ascii=False)


def _make_call(*, path: str, method: str | None, body: str | None, **_: Any) -> Call:
    below = f"/{path.removeprefix(_PREFIX).lstrip('/')}"
    return Call("call", "", method or ("GET" if body is None else "POST"), below, body)


def _write_headers(headers: dict[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _write_curl(call: Call, *, url: str, headers: dict[str, str]) -> str:
    words = ["curl", "-sS", "--fail-with-body"]
    if call.method != ("GET" if call.body is None else "POST"):  # what curl chooses by itself
        words += ["-X", call.method]
    words.append(f"{url}{_PREFIX}{call.path}")
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}"]
    if call.body is not None:
        words += ["-H", "Content-Type: application/json", "-d", call.body]
    return shlex.join(words)
