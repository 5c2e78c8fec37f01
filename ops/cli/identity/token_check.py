"""`carillon token --check`: whether a token is accepted here, what it says, and every reason why it is not.

The token comes from somebody else's system; what it says is shown as plain text, and neither it nor a secret of ours is
printed.
"""

import json
import sys
import time
from dataclasses import dataclass, replace
from typing import Any

import click

from ops.cli import read_environment
from ops.cli.servers import open_database
from ops.cli.terminal.printing import say, say_json
from storage.keys.token_examination import TokenExamination, examine_token
from storage.keys.tokens import TokenSettings, is_user_id
from storage.model.caller import Person
from storage.model.errors import InvalidSettings, TransientError
from storage.postgres.people import directory
from storage.settings import load

_LONGEST = 1024 * 1024


@dataclass(frozen=True, slots=True)
class CheckedToken:
    """A token's examination, and the person that it names.

    `person` is None if there is none, or if nobody could be asked: then `note` says why.
    """

    examination: TokenExamination
    person: Person | None
    note: str

    @property
    def is_accepted(self) -> bool:
        """Whether the token signs somebody in, as far as could be found out."""
        return not self.examination.reasons


def check_token(given: str, *, as_json: bool) -> None:
    """Print what is to be said of the token `given` (`-`: the one on stdin); exits with code 1 if it is refused."""
    text = sys.stdin.read(_LONGEST) if given == "-" else given
    checked = _check(text.strip().removeprefix("Bearer ").strip())
    if as_json:
        say_json(_show_json(checked))
    else:
        _print(checked)
    if not checked.is_accepted:
        click.get_current_context().exit(1)


def _check(token: str) -> CheckedToken:
    examination = examine_token(load(TokenSettings, read_environment()), token, now=time.time())
    sub = examination.claims.get("sub")
    if not is_user_id(sub):
        return CheckedToken(examination, None, "")
    try:
        with open_database() as database:
            person = database.transaction(directory.find, int(str(sub)))
    except (InvalidSettings, TransientError) as error:
        return CheckedToken(examination, None, f"The person was not looked up: {error.detail}")
    refusal = _explain_refusal(person, sub)
    if refusal:
        reasons = (*examination.reasons, refusal)
        examination = replace(examination, user_id=None, reasons=reasons)
    return CheckedToken(examination, person, "")


def _explain_refusal(person: Person | None, sub: object) -> str:
    """Why the person may not sign in; empty if they may."""
    if person is None:
        return f"There is no person {sub}."
    if person.is_deleted:
        return f"Person {person.id} is deleted."
    return "" if person.is_active else f"Person {person.id} is not active: {person.status}."


def _show_json(checked: CheckedToken) -> dict[str, Any]:
    person = checked.person
    return {
        "accepted": checked.is_accepted,
        "reasons": list(checked.examination.reasons),
        "header": dict(checked.examination.header),
        "claims": dict(checked.examination.claims),
        "person": person and {"id": person.id, "name": person.name, "status": person.status},
        "note": checked.note or None,
    }


def _print(checked: CheckedToken) -> None:
    say(f"accepted  {'yes' if checked.is_accepted else 'no'}")
    for number, reason in enumerate(checked.examination.reasons):
        say(f"{'' if number else 'because':8}  {reason}")
    for name in ("header", "claims"):
        if told := getattr(checked.examination, name):
            say(f"{name:8}  {json.dumps(told, ensure_ascii=False)}")
    if checked.person is not None:
        say(f"person    {checked.person.id}, {checked.person.name}, {checked.person.status}")
    if checked.note:
        say(checked.note, err=True)
