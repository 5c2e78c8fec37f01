"""Generates `/openapi.json` (OpenAPI 3.1) from the declarations of the routes. Pure.

It holds every path, parameter, body, response and error, each described and with an example. The errors of a route are
those that it declares, and those that authentication, parsing and the database can always raise.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from ingest.documents import error_responses, examples
from ingest.documents.schemas import Schemas, Shape
from ingest.documents.security import SECURITY, list_security
from ingest.http.endpoint import Endpoint, HeaderNote
from ingest.models.requests import Nothing

_JSON = "application/json"

# Who reads about an operation, in the order in which the document lists them.
BOTH, PEOPLE, APPS, OPERATORS = "Apps and clients", "Clients", "Apps", "Operators"
_TAGS = {
    BOTH: "Sending, asking after what was sent, taking it back, and uploads: for apps and for people's clients.",
    PEOPLE: "For the programs that people read and write with: conversations, people, launchpad, sockets. Signed in as a person.",
    APPS: "For business apps: many sends at once, broadcasts, and who comes with a ticket. Signed by the app.",
    OPERATORS: "For those who run Carillon: probes, metrics and these pages. Open to anyone who reaches the process.",
}
_DESCRIPTION = """\
A message centre: apps send notifications and broadcasts to people, people write to each other.

- **A 2xx answer to a send** means that the message is on durable storage, and will be in the history of its receiver
  exactly once.
- **Who calls**: a person by `Authorization: Bearer <JWT>`; an app by `X-App-Id`, `X-Timestamp` and `X-Sign`. With `X-App-Id`
  it is an app's call, whatever else is sent.
- **Every answer** carries `X-Request-Id`. Every error is `{"detail": …, "code": …, "request_id": …}`.
- **Times** are `YYYY-MM-DDTHH:MM:SS` in the deployment's time zone (UTC unless the operator chose another); beside each stands
  the same instant as Unix milliseconds, in `…_ms`. **Ids** are integers below 2^53.
- Fields and query parameters that are not known are ignored, and answers may gain fields.
- What is pushed over the WebSocket is described in `/asyncapi.json`.
"""
_REQUEST_ID = HeaderNote(
    "X-Request-Id",
    "The request's name in logs: the caller's own if it sent one (up to 128 of letters, digits and `._:/+=-`), else ours.",
    "3f0c1d2e9a7b4c58",
)


def build_document(endpoints: Sequence[Endpoint]) -> Shape:
    """The OpenAPI document of these endpoints, as JSON values."""
    schemas = Schemas(dict(error_responses.SCHEMAS))
    paths: Shape = {}
    for endpoint in endpoints:
        operations = paths.setdefault(endpoint.path.replace(":path}", "}"), {})
        operations[endpoint.method.lower()] = _build_operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Carillon", "version": "1", "description": _DESCRIPTION},
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": schemas.found,
            "responses": error_responses.build_responses(_build_headers),
            "securitySchemes": SECURITY,
        },
    }


def _build_operation(endpoint: Endpoint, schemas: Schemas) -> Shape:
    summary, _, description = (endpoint.handler.__doc__ or endpoint.name).partition("\n")
    operation: Shape = {
        "operationId": endpoint.name,
        "tags": [_choose_tag(endpoint)],
        "summary": summary.strip(),
        "description": " ".join(description.split()),
        "security": list_security(endpoint),
        "parameters": [
            *_build_parameters(endpoint, schemas),
            *map(_build_header_parameter, endpoint.request_headers),
        ],
        "responses": _build_responses(endpoint, schemas),
    }
    if endpoint.is_deprecated:
        operation["deprecated"] = True
    if endpoint.takes_json:
        content = {"schema": schemas.refer_to(endpoint.body, "validation")}
        shown = examples.REQUESTS.get(endpoint.name, {})
        content |= {
            "examples": {
                name: {"summary": one.summary, "value": one.body} for name, one in shown.items()
            }
        }
        operation["requestBody"] = {
            "required": not endpoint.body_is_optional,
            "content": {_JSON: content},
        }
    if endpoint.takes_stream:
        binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {
            "required": True,
            "description": "The bare file, exactly as long as it was announced.",
            "content": binary,
        }
    return operation


def _choose_tag(endpoint: Endpoint) -> str:
    callers = endpoint.callers
    if callers.people != callers.apps:
        return PEOPLE if callers.people else APPS
    # What anyone may call below the API's path has a signature in its URL instead.
    return BOTH if callers.people or endpoint.path.startswith("/api/") else OPERATORS


def _build_parameters(endpoint: Endpoint, schemas: Schemas) -> Iterable[Shape]:
    schema = schemas.build_fields(endpoint.params)
    for name, value in schema.get("properties", {}).items():
        is_in_path = f"{{{name}" in endpoint.path
        is_required = is_in_path or name in schema.get("required", ())
        parameter = {
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": is_required,
            "description": value.get("description", ""),
            "schema": {
                key: part for key, part in value.items() if key not in ("title", "description")
            },
        }
        yield parameter | ({"example": examples.PARAMETERS[name]} if is_required else {})


def _build_header_parameter(note: HeaderNote) -> Shape:
    # Without an example, which Swagger UI would send: a key that is not the reader's own names somebody else's send.
    described = {"description": note.text, "schema": {"type": "string"}}
    return {"name": note.name, "in": "header", "required": False, **described}


def _build_responses(endpoint: Endpoint, schemas: Schemas) -> Shape:
    success: Shape = {"description": "Done.", "headers": _build_headers(endpoint.response_headers)}
    if endpoint.response is not None:
        content: Shape = {"schema": schemas.refer_to(endpoint.response, "serialization")}
        if endpoint.name in examples.RESPONSES:
            content["example"] = examples.RESPONSES[endpoint.name]
        success["content"] = {endpoint.media_type: content}
    bare: Shape = {
        "description": "Done, or on its way.",
        "headers": _build_headers(endpoint.response_headers),
    }
    statuses = error_responses.list_statuses(
        endpoint, takes_values=endpoint.params is not Nothing or endpoint.takes_json
    )
    return (
        {str(endpoint.status): success}
        | {str(status): bare for status in endpoint.other_statuses}
        | {str(status): error_responses.refer_to(status) for status in sorted(statuses)}
    )


def _build_headers(notes: Iterable[HeaderNote]) -> Shape:
    return {note.name: _build_header(note) for note in (_REQUEST_ID, *notes)}


def _build_header(note: HeaderNote) -> dict[str, Any]:
    described: Shape = {"description": note.text, "schema": {"type": "string"}}
    return described | ({"example": note.example} if note.example else {})
