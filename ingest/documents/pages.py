"""The pages for people, as HTML: the start page, the REST API and the WebSocket, in English and Chinese. Pure.

Addresses in them are relative, so that they work behind a proxy's path. Nothing is loaded from anywhere else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template

from ingest.documents import socket_page
from ingest.documents.languages import CHINESE, ENGLISH, WORDS
from ingest.documents.rich_text import render_inline
from ingest.documents.schemas import Shape

# Swagger UI sets styles from its script and shows images it carries inline.
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
HOME, DOCS, SOCKET = "", "docs", "docs/socket"

_TEMPLATES = Path(__file__).with_name("templates")
_LINKS = {HOME: "home", DOCS: "rest", SOCKET: "socket"}
_SWAGGER = ("docs/files/swagger-ui.css", "docs/static/pages.css")
_OWN = ("docs/static/pages.css",)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a page: the language, and whether it was asked for by a switch and is to be kept."""

    language: str
    has_asked: bool

    @property
    def words(self) -> Mapping[str, str]:
        """Every word of the pages, by its key."""
        return WORDS[self.language]

    @property
    def query(self) -> str:
        """What links to other pages carry, so that the language stays."""
        return f"?lang={self.language}" if self.has_asked else ""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the start page says of this deployment."""

    version: str
    has_console: bool
    has_inbox: bool


def render_home(reader: Reader, deployment: Deployment) -> bytes:
    """The start page."""
    words = reader.words
    sections = {
        "for_people": [_card("inbox/", words["inbox"], words["inbox_text"])],
        "for_developers": [
            _card(f"{DOCS}{reader.query}", words["rest"], words["rest_text"]),
            _card(f"{SOCKET}{reader.query}", words["socket"], words["socket_text"]),
            _document_card(words),
        ],
        "for_operators": [*_list_operator_cards(words, deployment)],
        "state": [*_list_state_cards(words)],
    }
    if not deployment.has_inbox:
        del sections["for_people"]
    html = "".join(
        f'<h2>{escape(words[name])}</h2><div class="cards">{"".join(cards)}</div>'
        for name, cards in sections.items()
    )
    html += f'<p class="hint">{render_inline(words["state_text"])}</p>'
    body = _read("home.html").substitute(
        tagline=escape(words["tagline"]),
        sections=html,
        version=escape(words["version"]),
        number=escape(deployment.version),
    )
    return _frame(HOME, reader, body=body, title="Carillon", scripts=("docs/static/home.js",))


def render_docs(reader: Reader) -> bytes:
    """The page of the REST API: Swagger UI, and a form that says who is calling."""
    words = _escape_words(reader, formatted=("secret_text", "token_text"))
    return _frame(
        DOCS,
        reader,
        body=_read("docs.html").substitute(words),
        title=reader.words["docs_title"],
        styles=_SWAGGER,
        scripts=("docs/files/swagger-ui-bundle.js", "docs/static/docs.js"),
    )


def render_socket(reader: Reader, document: Shape) -> bytes:
    """The page of the WebSocket, made of its AsyncAPI document."""
    form = _read("socket.html").substitute(
        _escape_words(reader, formatted=("token_text", "since_text"))
    )
    body = (
        f'<div class="prose">{socket_page.render_document(document, reader.words, form=form)}</div>'
    )
    title = reader.words["socket_title"]
    return _frame(SOCKET, reader, body=body, title=title, scripts=("docs/static/socket.js",))


def _escape_words(reader: Reader, *, formatted: tuple[str, ...]) -> dict[str, str]:
    """Every word as HTML: those that are `formatted` with their code, the others as they are."""
    words = {name: escape(text) for name, text in reader.words.items()}
    return words | {name: render_inline(reader.words[name]) for name in formatted}


@cache
def _read(template: str) -> Template:
    return Template((_TEMPLATES / template).read_text(encoding="utf-8"))


def _frame(
    page: str,
    reader: Reader,
    *,
    body: str,
    title: str,
    styles: tuple[str, ...] = _OWN,
    scripts: tuple[str, ...] = (),
) -> bytes:
    root = "../" * page.count("/")
    other = ENGLISH if reader.language == CHINESE else CHINESE
    links = (_link(one, reader, root=root, is_here=one == page) for one in _LINKS)
    html = _read("frame.html").substitute(
        lang=reader.language,
        title=escape(title),
        root=root or "./",
        query=reader.query,
        styles="\n".join(f'<link rel="stylesheet" href="{root}{one}">' for one in styles),
        links="".join(links),
        other_lang=other,
        other=escape(reader.words["other"]),
        body=body,
        scripts="\n".join(f'<script src="{root}{one}"></script>' for one in scripts),
    )
    return html.encode()


def _link(page: str, reader: Reader, *, root: str, is_here: bool) -> str:
    current = ' aria-current="page"' if is_here else ""
    address = f"{root}{page}" or "./"
    return f'<a href="{address}{reader.query}"{current}>{escape(reader.words[_LINKS[page]])}</a>'


def _card(address: str, name: str, text: str) -> str:
    return f'<div class="card"><a href="{address}">{escape(name)}</a><p>{escape(text)}</p></div>'


def _document_card(words: Mapping[str, str]) -> str:
    files = " · ".join(f'<a href="{one}">{one}</a>' for one in ("openapi.json", "asyncapi.json"))
    return f'<div class="card">{escape(words["as_documents"])}<p>{files}</p></div>'


def _list_operator_cards(words: Mapping[str, str], deployment: Deployment) -> Iterator[str]:
    if deployment.has_console:
        yield _card("console/", words["console"], words["console_text"])
    else:
        yield f'<div class="card"><p>{escape(words["no_console"])}</p></div>'


def _list_state_cards(words: Mapping[str, str]) -> Iterator[str]:
    for name, path in (("alive", "healthz"), ("ready", "readyz")):
        asked = "".join(f' data-{one}="{escape(words[one])}"' for one in ("yes", "no"))
        yield (
            f'<div class="card"><a href="{path}">{escape(words[name])}</a>'
            f'<p><b data-asks="{path}"{asked}>{escape(words["asking"])}</b></p></div>'
        )
    yield f'<div class="card"><a href="metrics">{escape(words["metrics"])}</a><p>Prometheus</p></div>'
