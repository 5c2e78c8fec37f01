"""Cards: changing what was sent, and a person's to-dos (contract §8)."""

from ingest.http.endpoint import API, APPS, PEOPLE, endpoint
from ingest.http.request_headers import parse_idempotency_key
from ingest.http.response import Response
from ingest.models.requests import CardBody, Nothing, OneMessage, OneRef, TodoWindow
from ingest.models.responses import MessageAnswer, UpdatedCount
from ingest.routes.messages import KEY, REPLAY
from ingest.sends.cards import ChangeOutcome
from ingest.sends.ineffective_fields import find_ineffective_in_change
from ingest.services import Context
from storage.model.caller import AppCaller, UserCaller
from storage.model.errors import InConflict, NotAllowed, NotFound, OverLimit
from storage.postgres.messages import todos


@endpoint(
    "PATCH",
    f"{API}/messages/{{message_id}}",
    callers=APPS,
    params=OneMessage,
    body=CardBody,
    response=MessageAnswer,
    errors=(NotAllowed, NotFound, InConflict, OverLimit),
    request_headers=(KEY,),
    response_headers=(REPLAY,),
    find_ignored=find_ineffective_in_change,
)
async def change_message(context: Context[AppCaller, OneMessage, CardBody]) -> Response:
    """Change a message that the app has sent: everyone who has it is shown the new form.

    What was not delivered yet is delivered in the new form only. Read state, counters and order stay.
    """
    message_id = context.params.message_id
    key = await parse_idempotency_key(
        context.headers, caller=context.caller, body=context.raw, of=f"change of {message_id}"
    )
    outcome = await context.services.card_editor.change(
        context.caller, message_id, context.body, key=key, origin=context.origin
    )
    answer = outcome.answer
    if answer.message is None:
        raise AssertionError("A change of one message is answered with it.")
    shown = context.services.presenter.present_message(
        answer.message, read_at=answer.read_at, is_callers=True
    )
    return Response(shown, headers=_describe(outcome))


@endpoint(
    "PATCH",
    f"{API}/messages/by-ref/{{ref:path}}",
    callers=APPS,
    params=OneRef,
    body=CardBody,
    response=UpdatedCount,
    errors=(NotAllowed, NotFound, InConflict, OverLimit),
    request_headers=(KEY,),
    response_headers=(REPLAY,),
    find_ignored=find_ineffective_in_change,
)
async def change_by_ref(context: Context[AppCaller, OneRef, CardBody]) -> Response:
    """Change all messages that the app has sent with this `ref`, up to 1,000, in one transaction."""
    ref = context.params.ref
    key = await parse_idempotency_key(
        context.headers, caller=context.caller, body=context.raw, of=f"change of all of {ref}"
    )
    outcome = await context.services.card_editor.change_by_ref(
        context.caller, ref, context.body, key=key, origin=context.origin
    )
    return Response(UpdatedCount(outcome.answer.updated_count), headers=_describe(outcome))


@endpoint(
    "GET",
    f"{API}/messages/todo",
    callers=PEOPLE,
    params=TodoWindow,
    response=list[MessageAnswer],
)
async def list_todos(context: Context[UserCaller, TodoWindow, Nothing]) -> Response:
    """The caller's to-dos of all conversations, newest first: those that wait, or those of another state."""
    services, window, me = context.services, context.params, context.caller.person.id
    views = await services.database.query(
        todos.list_todos, me, state=window.state, limit=window.limit, before_id=window.before_id
    )
    return Response(
        [
            services.presenter.present_message(
                one.message, read_at=one.read_at, is_callers=one.message.sender_id == me
            )
            for one in views
        ]
    )


ROUTES = (list_todos, change_by_ref, change_message)


def _describe(outcome: ChangeOutcome) -> list[tuple[str, str]]:
    return [("Idempotency-Replay", "true")] if outcome.is_replay else []
