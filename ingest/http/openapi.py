"""Generates `/openapi.json` (OpenAPI 3.1) from the declarations of the routes. Pure.

It holds every path, parameter, body, response and error. The errors of a route are those that it declares, and those
that authentication, parsing and the database can always raise.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from ingest.http.endpoint import Endpoint, HeaderNote
from ingest.models.requests import Nothing
from storage.model.errors import (
    CarillonError,
    Invalid,
    NotAllowed,
    NotSignedIn,
    OverLimit,
    TooLarge,
    TooSlow,
    TransientError,
)
from storage.model.http_status import MEANING, STATUS, status_of

_REF = "#/components/schemas/{model}"
_JSON = "application/json"
Shape = dict[str, Any]

_SECURITY: Shape = {
    "person": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "appId": {"type": "apiKey", "in": "header", "name": "X-App-Id"},
    "appTimestamp": {"type": "apiKey", "in": "header", "name": "X-Timestamp"},
    "appSign": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Sign",
        "description": "Lower-case hex HMAC-SHA256(app_secret, app_id=<X-App-Id>&timestamp=<X-Timestamp>).",
    },
}
_PERSON: Shape = {"person": []}
_APP: Shape = {"appId": [], "appTimestamp": [], "appSign": []}
_PROBLEM: Shape = {
    "type": "object",
    "required": ["detail"],
    "properties": {"detail": {"type": "string"}},
}
_FIELD_PROBLEMS: Shape = {
    "type": "object",
    "required": ["detail"],
    "properties": {
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        }
    },
}


def build_document(endpoints: Sequence[Endpoint]) -> Shape:
    """The OpenAPI document of these endpoints, as JSON values."""
    schemas = _Schemas()
    paths: Shape = {}
    for endpoint in endpoints:
        operations = paths.setdefault(endpoint.path.replace(":path}", "}"), {})
        operations[endpoint.method.lower()] = _build_operation(endpoint, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Carillon",
            "version": "1",
            "description": "A message centre: notifications, broadcasts and private messages.",
        },
        "paths": paths,
        "components": {"schemas": schemas.found, "securitySchemes": _SECURITY},
    }


class _Schemas:
    """The schemas that the document refers to by name, collected while it is built."""

    def __init__(self) -> None:
        self.found: Shape = {"Problem": _PROBLEM, "FieldProblems": _FIELD_PROBLEMS}

    def refer_to(self, shape: Any, mode: JsonSchemaMode) -> Shape:
        schema: Shape = TypeAdapter(shape).json_schema(ref_template=_REF, mode=mode)
        self.found.update(schema.pop("$defs", {}))
        name = schema.get("title")
        if name is None or schema.get("type") != "object":
            return schema
        self.found[name] = schema
        return {"$ref": _REF.format(model=name)}

    def build_fields(self, shape: Any) -> Shape:
        """The schema of a shape whose fields stand alone, as parameters do; what they refer to is collected."""
        schema: Shape = TypeAdapter(shape).json_schema(ref_template=_REF)
        self.found.update(schema.pop("$defs", {}))
        return schema


def _build_operation(endpoint: Endpoint, schemas: _Schemas) -> Shape:
    summary, _, description = (endpoint.handler.__doc__ or endpoint.name).partition("\n")
    operation: Shape = {
        "operationId": endpoint.name,
        "tags": [endpoint.subject],
        "summary": summary.strip(),
        "description": " ".join(description.split()),
        "security": _build_security(endpoint),
        "parameters": [
            *_build_parameters(endpoint, schemas),
            *map(_build_header_parameter, endpoint.request_headers),
        ],
        "responses": _build_responses(endpoint, schemas),
    }
    if endpoint.is_deprecated:
        operation["deprecated"] = True
    if endpoint.takes_json:
        content = {_JSON: {"schema": schemas.refer_to(endpoint.body, "validation")}}
        operation["requestBody"] = {"required": not endpoint.body_is_optional, "content": content}
    if endpoint.takes_stream:
        binary = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": binary}
    return operation


def _build_security(endpoint: Endpoint) -> list[Shape]:
    people = [_PERSON] if endpoint.callers.people else []
    return people + ([_APP] if endpoint.callers.apps else [])


def _build_parameters(endpoint: Endpoint, schemas: _Schemas) -> Iterable[Shape]:
    schema = schemas.build_fields(endpoint.params)
    for name, value in schema.get("properties", {}).items():
        is_in_path = f"{{{name}" in endpoint.path
        yield {
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": is_in_path or name in schema.get("required", ()),
            "schema": {key: part for key, part in value.items() if key != "title"},
        }


def _build_header_parameter(header: HeaderNote) -> Shape:
    return {
        "name": header.name,
        "in": "header",
        "required": False,
        "description": header.text,
        "schema": {"type": "string"},
    }


def _build_responses(endpoint: Endpoint, schemas: _Schemas) -> Shape:
    success: Shape = {"description": "Done.", "headers": _build_headers(endpoint.response_headers)}
    if endpoint.response is not None:
        shown = schemas.refer_to(endpoint.response, "serialization")
        success["content"] = {endpoint.media_type: {"schema": shown}}
    bare: Shape = {
        "description": "Done, or on its way.",
        "headers": _build_headers(endpoint.response_headers),
    }
    return (
        {str(endpoint.status): success}
        | {str(status): bare for status in endpoint.other_statuses}
        | {str(status): _build_error(status) for status in sorted(_error_statuses(endpoint))}
    )


def _error_statuses(endpoint: Endpoint) -> set[int]:
    kinds: set[type[CarillonError]] = {TransientError, *endpoint.errors}
    if endpoint.callers.people or endpoint.callers.apps:
        kinds |= {NotSignedIn}
    if endpoint.callers.people != endpoint.callers.apps:
        kinds |= {NotAllowed}
    if endpoint.params is not Nothing or endpoint.takes_json or endpoint.request_headers:
        kinds |= {Invalid}
    has_turns = endpoint.takes_turn and (endpoint.callers.people or endpoint.callers.apps)
    if endpoint.quota is not None or has_turns:
        kinds |= {OverLimit}
    if endpoint.takes_json or endpoint.takes_stream:
        kinds |= {TooLarge, TooSlow}
    return {500, *(status for kind in kinds if (status := status_of(kind)))}


def _build_error(status: int) -> Shape:
    name = "FieldProblems" if status == STATUS[Invalid] else "Problem"
    headers = {
        401: [HeaderNote("WWW-Authenticate", "How to sign in.")],
        429: [HeaderNote("Retry-After", "Seconds to wait.")],
        503: [HeaderNote("Retry-After", "Seconds to wait.")],
    }
    return {
        "description": MEANING[status],
        "headers": _build_headers(headers.get(status, ())),
        "content": {_JSON: {"schema": {"$ref": _REF.format(model=name)}}},
    }


def _build_headers(notes: Iterable[HeaderNote]) -> Shape:
    named = [
        HeaderNote("X-Request-Id", "The request's name, the caller's own if it gave one."),
        *notes,
    ]
    return {note.name: {"description": note.text, "schema": {"type": "string"}} for note in named}
