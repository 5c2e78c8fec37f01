"""What a send says that has no effect: refused with `Prefer: handling=strict`, else ignored (contract §2, Fields). Pure."""

from ingest.http.strictness import make_ignored
from ingest.models.requests import CardBody, SendBody
from storage.model.caller import AppCaller, Caller
from storage.model.errors import FieldProblem


def find_ineffective_fields(body: SendBody, caller: Caller) -> list[FieldProblem]:
    """The fields of a body, each known and well-formed, that change nothing in what this caller sends."""
    found = _find_in_button(body)
    if not isinstance(caller, AppCaller):
        if body.sender_app_user_id is not None:
            found.append(make_ignored("sender_app_user_id", "Is for apps only"))
        has_own_button = body.auto_sso and body.action_url is None
        if body.app_id is not None and body.app_user_id is None and not has_own_button:
            found.append(make_ignored("app_id", "Names neither a receiver nor the app of a button"))
    return found


def find_ineffective_in_change(body: CardBody, _caller: Caller) -> list[FieldProblem]:
    """The fields of a change to a card, each known and well-formed, that change nothing in it."""
    return _find_overruled(body)


def _find_in_button(body: SendBody) -> list[FieldProblem]:
    found = _find_overruled(body)
    if body.action_url is None and not body.auto_sso and body.action_text is not None:
        found.append(
            make_ignored("action_text", "There is no button: neither action_url nor auto_sso")
        )
    return found


def _find_overruled(body: SendBody | CardBody) -> list[FieldProblem]:
    found: list[FieldProblem] = []
    if body.action_url is not None:
        if body.auto_sso:
            found.append(make_ignored("auto_sso", "action_url wins over it"))
        if body.target_url is not None:
            found.append(make_ignored("target_url", "action_url wins over it"))
    elif not body.auto_sso and body.target_url is not None:
        found.append(make_ignored("target_url", "Goes with auto_sso only"))
    return found
