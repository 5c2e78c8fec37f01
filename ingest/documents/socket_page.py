"""The WebSocket's page: what stands in the AsyncAPI document, as plain HTML. Pure.

A viewer of AsyncAPI's own makers would bring megabytes of script; what is read here needs none.
"""

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from ingest.documents.rich_text import render_blocks, render_inline
from ingest.documents.schemas import Shape

Words = Mapping[str, str]


def render_document(document: Shape, words: Words, *, form: str) -> str:
    """The body of the page; `form`, which is HTML, opens a socket."""
    channel = document["channels"]["messages"]
    schemes = document["components"]["securitySchemes"]
    query = channel["bindings"]["ws"]["query"]["properties"]
    return "".join(
        [
            f"<h1>{escape(document['info']['title'])}</h1>",
            render_blocks(document["info"]["description"]),
            form,
            f"<h2>{escape(words['connecting'])}</h2>",
            f"<pre><code>GET {escape(channel['address'])}</code></pre>",
            render_blocks(channel["description"]),
            f"<h3>{escape(words['signing_in'])}</h3>",
            _table(
                [words["name"], words["meaning"]],
                ([_code(name), render_inline(one["description"])] for name, one in schemes.items()),
            ),
            f"<h3>{escape(words['parameters'])}</h3>",
            _table(
                [words["name"], words["meaning"]],
                ([_code(name), render_inline(one["description"])] for name, one in query.items()),
            ),
            *_render_messages(document, words),
            f"<h2>{escape(words['refusals'])}</h2>",
            _render_advice(channel["x-handshake-refusals"], words, keys=("status", "code")),
            f"<h2>{escape(words['close_codes'])}</h2>",
            render_blocks(words["rule"]),
            _render_advice(channel["x-close-codes"], words, keys=("code",)),
        ]
    )


def _render_messages(document: Shape, words: Words) -> Iterable[str]:
    """The frames that are pushed, then the texts of the heartbeat: of each its fields and an example."""
    for heading, is_json in (("frames", True), ("heartbeat", False)):
        yield f"<h2>{escape(words[heading])}</h2>"
        for name, message in document["components"]["messages"].items():
            if (message["contentType"] == "application/json") is is_json:
                yield f'<h3 id="{escape(name)}">{escape(name)}</h3>'
                yield render_blocks(message["summary"])
                yield _render_payload(document, message, words)


def _render_payload(document: Shape, message: Shape, words: Words) -> str:
    [example] = message["examples"]
    payload = example["payload"]
    fields = [*_list_fields(document, message["payload"])]
    shown = (
        payload if isinstance(payload, str) else json.dumps(payload, ensure_ascii=False, indent=2)
    )
    table = (
        _table(
            [words["field"], words["kind"], words["meaning"]],
            ([_code(name), escape(kind), render_inline(text)] for name, kind, text in fields),
        )
        if fields
        else ""
    )
    return f"{table}<pre><code>{escape(shown)}</code></pre>"


def _list_fields(
    document: Shape, schema: Shape, prefix: str = ""
) -> Iterable[tuple[str, str, str]]:
    """Name, kind and meaning of each field of a schema, and of the objects in it."""
    for name, field in _resolve(document, schema).get("properties", {}).items():
        target = _resolve(document, field)
        yield f"{prefix}{name}", _name_kind(document, field), field.get("description", "")
        if "properties" in target:
            yield from _list_fields(document, target, f"{prefix}{name}.")


def _name_kind(document: Shape, field: Shape) -> str:
    if "anyOf" in field:
        return " | ".join(_name_kind(document, one) for one in field["anyOf"])
    target = _resolve(document, field)
    return " | ".join(target["enum"]) if "enum" in target else str(target.get("type", ""))


def _resolve(document: Shape, value: Shape) -> Shape:
    found: Any = document
    if "$ref" not in value:
        return value
    for part in str(value["$ref"]).removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _render_advice(rows: Iterable[Shape], words: Words, *, keys: tuple[str, ...]) -> str:
    """A table of what has happened, named by `keys`, why, and what a client does."""
    return _table(
        [*(words[key] for key in keys), words["why"], words["do"]],
        (
            [
                *(_code(str(row[key])) for key in keys),
                render_inline(row["why"]),
                render_inline(row["do"]),
            ]
            for row in rows
        ),
    )


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; cells of `rows` are HTML."""
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    lines = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="table"><table><thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div>'
