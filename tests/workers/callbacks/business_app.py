"""A business app with an endpoint: it verifies what comes as Standard Webhooks says, and keeps it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks.webhooks import Webhook

from tests.workers.callbacks.endpoints import OK, Reader, Writer, read_request, serve


@dataclass
class BusinessApp:
    """An app's endpoint: what it was told (webhook-id, body), in the order of arrival, and how it answers."""

    url: str = ""
    secrets: list[str] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    # `on_call` is called with every call that was verified. Answered one after the other, the last one again and again; an event whose answer is not 2xx is told again.
    on_call: Callable[[], None] = lambda: None
    answers: list[bytes] = field(default_factory=lambda: [OK])

    async def answer(self, reader: Reader, writer: Writer) -> None:
        """Verify a call, keep it, and answer what comes next."""
        _, headers, body = await read_request(reader)
        verified = [Webhook(secret).verify(body, headers) for secret in self.secrets]
        self.on_call()
        self.told.append((headers["webhook-id"], verified[0]))
        writer.write(self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events that it was told, in the order of arrival."""
        return [body["seq"] for _, body in self.told]


@contextmanager
def run_app(*answers: bytes) -> Iterator[BusinessApp]:
    """An app that answers so (204 if nothing is given), on a port of its own."""
    app = BusinessApp()
    if answers:
        app.answers = list(answers)
    with serve(app.answer) as port:
        app.url = f"http://127.0.0.1:{port}/events"
        yield app
