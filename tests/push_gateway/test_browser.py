"""A page in a real browser: the client document's sample, through restarts of the gateway."""

from pathlib import Path

from ops.local.embedded.valkey import EmbeddedValkey
from storage.valkey.bus import Bus
from tests.browser import chromium, needs_chromium, serve_folder
from tests.push_gateway.running import Gateway, to_both, token, wait_for

PAGE = Path(__file__).with_name("page.html")

pytestmark = needs_chromium


def test_a_page_misses_nothing_when_the_gateway_restarts(
    bus: Bus, valkey: EmbeddedValkey, tmp_path: Path
) -> None:
    """SIGTERM, then SIGKILL, with messages before, while nobody serves, and after."""
    listed = {"CARILLON_ORIGINS": "http://127.0.0.1:*"}
    gateway = Gateway(valkey.url, tmp_path / "gateway.log", listed).start()
    sent: list[int] = []

    def send(count: int) -> None:
        events = [to_both(len(sent) + n, 1, 2) for n in range(1, count + 1)]
        sent.extend(event.message.id for event in events)
        bus.publish(events)

    try:
        with chromium(tmp_path) as page, serve_folder(PAGE.parent) as origin:
            page.go(f"{origin}/{PAGE.name}#{gateway.url(token=token(2))}")
            wait_for(lambda: page.value("ws.readyState") == 1)
            send(3)
            wait_for(lambda: page.value("seen") == sent)
            for end in (gateway.stop, gateway.kill):
                send(2)
                end()
                send(2)
                gateway.start()
                send(2)
                wait_for(lambda: page.value("seen") == sent)
            assert page.value("codes")[0] == 1012  # and 1006 for every try while nobody served
    finally:
        gateway.kill()
