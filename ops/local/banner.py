"""What `carillon up` says when the stack is up: where it is, and what to try next.

Every line can be pasted as it stands, whatever folder the other terminal is in: paths are whole, and who is named exists.
"""

import shlex
import sys
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path

from ops.local.listening import list_addresses
from ops.local.settings import UpSettings, make_url
from storage.model.caller import Person
from storage.setting_parsers import yes_or_no
from storage.settings import load


def write_banner(environ: Mapping[str, str], *, seconds: float, person: Person | None) -> str:
    """The banner of the stack with these settings, which took `seconds` to start; `person` is somebody who can sign in, if anybody is there."""
    where = load(UpSettings, environ)
    addresses = [f"  {name:<12}{value}" for name, value in _list_places(where, environ)]
    steps = [f"{what}:\n\n    {command}\n" for what, command in _list_steps(where, environ, person)]
    return "\n".join(
        [
            f"\nCarillon is up, after {seconds:.1f} s. Ctrl-C stops it.\n",
            *addresses,
            "\nTry next, in another terminal. First, which stack you mean:\n",
            f"    export CARILLON_DATA_DIR={shlex.quote(environ['CARILLON_DATA_DIR'])}\n",
            *steps,
        ]
    )


def find_command() -> str:
    """The whole path of the command `carillon` of this installation, quoted for a shell."""
    here = Path(sys.executable).with_name("carillon")
    return shlex.quote(str(here)) if here.exists() else "carillon"


def _list_places(where: UpSettings, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    url = where.local_url
    yield "start page", f"{url}/"
    if yes_or_no(environ.get("CARILLON_INBOX") or "off"):
        yield "inbox", f"{url}/inbox"
    yield "REST", f"{url}/api/v1"
    yield "WebSocket", f"{url.replace('http', 'ws', 1)}/api/v1/ws/messages"
    yield "API pages", f"{url}/docs"
    yield "console", f"{url}/console"
    yield "health", f"{url}/readyz"
    yield "metrics", f"{url}/metrics"
    for address in _list_outer_addresses(where):
        yield "outside", make_url(address, where.port)
    if where.public_url not in {"", url}:
        yield "public", where.public_url
    yield "data, logs", environ["CARILLON_DATA_DIR"]


def _list_outer_addresses(where: UpSettings) -> Iterator[str]:
    """The addresses at which other machines may reach us, if we listen on all of them."""
    version = {"0.0.0.0": 4, "::": 6}.get(where.host)
    for address in list_addresses():
        known = ip_address(address)
        if known.version == version and not known.is_loopback:
            yield address


def _list_steps(
    where: UpSettings, environ: Mapping[str, str], person: Person | None
) -> Iterator[tuple[str, str]]:
    command = find_command()
    if yes_or_no(environ.get("CARILLON_INBOX") or "off"):
        yield "A lively inbox in the browser, where people answer", f"{command} demo --open"
    yield "Three people, an app, and messages arriving on a socket", f"{command} demo"
    yield "The token to sign in to the console", f"{command} console --token"
    if person is not None:
        yield f"A token of {person.name} ({person.id})", f"{command} token {person.id}"
        socket = f"{where.local_url.replace('http', 'ws', 1)}/api/v1/ws/messages"
        python = shlex.quote(sys.executable)
        yield (
            f"A socket of {person.name}",
            f'{python} -m websockets "{socket}?token=$({command} token {person.id})"',
        )
    yield "Everything else", f"{command} --help"
