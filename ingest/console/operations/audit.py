"""What operators did."""

from typing import Any

from ingest.console.operations import SHOWN
from ingest.console.visit import Visit
from storage.postgres import audit
from storage.postgres.audit import AuditRow


async def list_audit(visit: Visit) -> list[dict[str, Any]]:
    """The newest rows of the audit, or those before `before_id`: all, or those of one `who`, `act` or `target`."""
    rows = await visit.services.database.query(
        audit.list_rows,
        limit=SHOWN,
        before_id=visit.before_id,
        who=visit.read_text("who") or None,
        act=visit.read_text("act") or None,
        target=visit.read_text("target") or None,
    )
    return [_show(row) for row in rows]


def _show(row: AuditRow) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "at": row.at.isoformat(),
        "who": row.who,
        "role": row.role,
        "act": row.act,
        "target": row.target,
        "before": row.before,
        "after": row.after,
        "request_id": row.request_id,
        "address": row.address,
    }
