"""A declared route as an ASGI application: authenticate, permit, parse, call the route, respond, errors included.

The order is the contract's (§0): a caller who cannot be authenticated gets 401 before a byte of the body is read, one
who may not call the route gets 403 before anything of the request is validated.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from ingest.http import errors, json_body
from ingest.http.body import PARSED_IN_THREAD_BYTES
from ingest.http.endpoint import Endpoint, HandlerServices, RequestContext
from ingest.http.request_headers import prefers_strict
from ingest.http.strictness import (
    add_ignored,
    find_ignored_parameters,
    find_repeated_keys,
    find_unknown_fields,
    note_strict,
    refuse_ignored,
    refuse_repeating_entries,
)
from ingest.models.requests import Nothing, RequestModel
from ingest.settings import IngestSettings
from storage.model.caller import AppCaller, Caller, UserCaller
from storage.model.error_codes import ErrorCode
from storage.model.errors import (
    CallerError,
    FieldProblem,
    Invalid,
    NotAllowed,
    NotSignedIn,
    TransientError,
    invalid,
)

_NOTHING = Nothing()
# No sensible query is longer, and decoding very many %-escapes would hold up the event loop.
MAX_QUERY_BYTES = 8 * 1024


class RequestHandler:
    """The ASGI application of one endpoint.

    Errors that the caller can mend, or that will pass, become responses here; others are faults of ours and are raised.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._takes_json = endpoint.takes_json
        self._is_open = not (endpoint.callers.people or endpoint.callers.apps)
        self._takes_slot = endpoint.takes_slot
        self._quota = endpoint.quota
        self._parse_json = _json_parser(endpoint)
        self._in_path = frozenset(
            name for name in endpoint.params.model_fields if f"{{{name}" in endpoint.path
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        response: ASGIApp
        headers: Mapping[bytes, bytes] = scope["header_values"]
        # What is open to anyone reads its query by itself (signed URLs), or takes none.
        is_strict = b"prefer" in headers and not self._is_open and prefers_strict(headers)
        try:
            context = await self._prepare(scope, receive, is_strict=is_strict)
            if self._takes_slot and context.caller is not None:
                async with context.services.slots.take(context.caller):
                    response = await self.endpoint.handler(context)
            else:
                response = await self.endpoint.handler(context)
        except (CallerError, TransientError) as error:
            response = errors.respond_to_error(error)
            is_strict = is_strict and not isinstance(error, NotSignedIn)
        await response(scope, receive, note_strict(send) if is_strict else send)

    async def _prepare(
        self, scope: Scope, receive: Receive, *, is_strict: bool
    ) -> RequestContext[HandlerServices, Any, Any, Any]:
        services: HandlerServices = scope["state"]["services"]
        headers: Mapping[bytes, bytes] = scope["header_values"]
        caller: Caller | None = None
        if not self._is_open:
            caller = await services.authenticator.authenticate(headers, scope)
            self._check_permitted(caller)
            if self._quota is not None and isinstance(caller, UserCaller):
                await services.limits.take(self._quota, caller.person.id)
        params = self._parse_params(scope, is_strict=is_strict)
        raw = b""
        body: RequestModel = _NOTHING
        if self._takes_json:
            limit = _body_limit(self.endpoint, caller, services.settings)
            raw = await services.body_reader.read(receive, headers, limit=limit)
            services.authenticator.check_body(headers, raw)
            parse = partial(self._parse_strictly, caller=caller) if is_strict else self._parse_body
            body = (
                parse(raw)
                if len(raw) <= PARSED_IN_THREAD_BYTES
                else await asyncio.to_thread(parse, raw)
            )
        return RequestContext(services, caller, params, body, headers, raw, scope, receive)

    def _check_permitted(self, caller: Caller) -> None:
        if isinstance(caller, AppCaller):
            if not self.endpoint.callers.apps:
                raise NotAllowed(
                    "This is for signed-in people, not for apps.", code=ErrorCode.FOR_PEOPLE_ONLY
                )
        elif not self.endpoint.callers.people:
            raise NotAllowed("This is for apps, not for people.", code=ErrorCode.FOR_APPS_ONLY)

    def _parse_params(self, scope: Scope, *, is_strict: bool) -> RequestModel:
        if self.endpoint.params is Nothing and not is_strict:
            return _NOTHING
        # A query parameter with the name of a path parameter is unknown, so ignored.
        raw: bytes = scope["query_string"]
        if len(raw) > MAX_QUERY_BYTES:
            raise invalid("query", f"Longer than {MAX_QUERY_BYTES} bytes.", where="query")
        query = parse_qsl(raw.decode("latin-1"), keep_blank_values=True)
        values = {**dict(query), **scope["path_params"]}
        ignored: list[FieldProblem] = []
        if is_strict:
            known = self.endpoint.params.model_fields.keys() - self._in_path
            ignored = find_ignored_parameters(query, known=known)
        try:
            params = self.endpoint.params.from_values(values)
        except ValidationError as error:
            wrong = errors.translate_validation_error(error, where=self._param_location)
            raise add_ignored(wrong, ignored) from error
        refuse_ignored(ignored)
        return params

    def _param_location(self, name: str) -> str:
        return "path" if name in self._in_path else "query"

    def _parse_body(self, raw: bytes) -> RequestModel:
        return self._validate(self._read_value(raw))

    def _read_value(self, raw: bytes) -> dict[str, Any]:
        return {} if not raw and self.endpoint.body_is_optional else self._parse_json(raw)

    def _validate(self, value: Mapping[str, Any]) -> RequestModel:
        try:
            return self.endpoint.body.from_values(value)
        except ValidationError as error:
            raise errors.translate_validation_error(error, where=_in_body) from error

    def _parse_strictly(self, raw: bytes, *, caller: Caller | None) -> RequestModel:
        """As `_parse_body`; what would be ignored is refused, together with what is wrong."""
        shape, value = self.endpoint.body, self._read_value(raw)
        ignored = find_unknown_fields(shape, value, within=("body",))
        # Entries of a batch fail each alone: a key that one of them repeats is no reason to refuse the whole.
        ignored += (
            refuse_repeating_entries(value, raw, name=shape.lenient_list)
            if shape.lenient_list
            else find_repeated_keys(raw)
        )
        try:
            body = self._validate(value)
        except Invalid as error:
            raise add_ignored(error, ignored) from error
        if self.endpoint.find_ignored is not None:
            ignored += self.endpoint.find_ignored(body, caller)
        refuse_ignored(ignored)
        return body


def _json_parser(endpoint: Endpoint) -> Callable[[bytes], dict[str, Any]]:
    name = endpoint.body.lenient_list
    return partial(json_body.parse_with_lenient_list, name=name) if name else json_body.parse


def _in_body(_name: str) -> str:
    return "body"


def _body_limit(endpoint: Endpoint, caller: Caller | None, settings: IngestSettings) -> int:
    if endpoint.is_bulk and isinstance(caller, AppCaller):
        return settings.batch_body_limit_bytes
    return settings.body_limit_bytes
