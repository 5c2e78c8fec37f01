"""Whether the settings of every process are right, before any of them starts: for `carillon up`.

A worker with a malformed setting would start, and then fail every task. Here everything that is wrong is said at once.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from ingest.inbox.demo_sign_in import check_deployment
from ingest.settings import InboxSettings
from ops.known_settings import SETTINGS_CLASSES, list_settings
from storage.broker.queues import QueueSettings
from storage.keys.tokens import TokenSettings, TokenVerifier
from storage.media.store import MediaSettings, make_media_store
from storage.model.errors import InvalidSettings
from storage.process.tracing import make_tracer
from storage.settings import ValkeySettings, check, load
from storage.valkey.connection import make_client

PREFIX = "CARILLON_"
# Read by what surrounds the processes: compose, manifests, tests.
_OTHERS = ("CARILLON_VERSION", "CARILLON_TEST_")


def check_settings(environ: Mapping[str, str]) -> None:
    """Return if the settings in `environ` are right for every process.

    Raises InvalidSettings with a line for everything that is missing or malformed.
    """
    found: dict[str, None] = {}
    for attempt in _list_attempts(environ):
        try:
            attempt()
        except InvalidSettings as error:
            found |= dict.fromkeys(error.detail.splitlines())
    if found:
        raise InvalidSettings("\n".join(found))


def _list_attempts(environ: Mapping[str, str]) -> Iterator[Callable[[], object]]:
    """What raises InvalidSettings: reading each setting, and making what needs several that fit together."""
    yield partial(check, SETTINGS_CLASSES, environ)
    yield lambda: TokenVerifier(load(TokenSettings, environ))
    yield lambda: check_deployment(load(InboxSettings, environ), load(TokenSettings, environ))
    yield lambda: make_media_store(load(MediaSettings, environ))
    yield lambda: load(QueueSettings, environ).url
    yield lambda: make_client(load(ValkeySettings, environ)).close()
    yield lambda: _close(environ)


def _close(environ: Mapping[str, str]) -> None:
    traces = make_tracer(environ, process="check")
    if traces is not None:
        traces.close()


def find_unknown(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each CARILLON_ variable in `environ` that is no setting of this version: mistyped, perhaps."""
    names = {setting.name for setting in list_settings()}
    for name in sorted(set(environ) - names):
        if name.startswith(PREFIX) and not name.startswith(_OTHERS):
            alike = difflib.get_close_matches(name, names, n=1, cutoff=0.85)
            meant = f" Did you mean {alike[0]}?" if alike else ""
            yield f"{name} is not a setting of this version.{meant}"
