"""Acts upon broadcasts of any app: cancel, recall, try again at once what fails.

`cancellation.discard_waiting` must follow a cancel and a recall, in a transaction of its own.
"""

from sqlalchemy import Connection

from storage.model.error_codes import ErrorCode
from storage.model.errors import NotFound
from storage.model.operator import Actor
from storage.postgres import audit
from storage.postgres.broadcasts import cancellation, failures, recalls, reports


def cancel(connection: Connection, actor: Actor, *, id: int) -> None:
    """Cancel a broadcast, as `cancellation.cancel` says: what is finished stays as it is. Raises NotFound."""
    before = _read_status(connection, id)
    cancellation.cancel(connection, id)
    _record(connection, actor, "broadcast.cancel", id, before)


def start_recall(connection: Connection, actor: Actor, *, id: int) -> None:
    """Begin to take a broadcast back, as `recalls.start_recall` says. Safe to repeat. Raises NotFound."""
    before = _read_status(connection, id)
    recalls.start_recall(connection, id)
    _record(connection, actor, "broadcast.recall", id, before)


def retry(connection: Connection, actor: Actor, *, id: int) -> int:
    """Have what of a broadcast fails tried at once; returns how many parts. Raises NotFound."""
    if _read_status(connection, id) is None:
        raise NotFound("There is no such broadcast.", code=ErrorCode.UNKNOWN_BROADCAST)
    parts = failures.retry_failing(connection, id)
    audit.record(
        connection, actor, act="broadcast.retry", target=f"broadcast {id}", after={"parts": parts}
    )
    return parts


def _record(connection: Connection, actor: Actor, act: str, id: int, before: str | None) -> None:
    audit.record(
        connection,
        actor,
        act=act,
        target=f"broadcast {id}",
        before={"status": before},
        after={"status": _read_status(connection, id)},
    )


def _read_status(connection: Connection, id: int) -> str | None:
    """The broadcast's status now; None if there is none, or nothing of it was kept."""
    report = reports.find_report(connection, id, app_id=None)
    return None if report is None else report.status
