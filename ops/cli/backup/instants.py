"""An instant on the command line, with its offset."""

from datetime import UTC, datetime

import click


class Instant(click.ParamType[datetime]):
    """RFC 3339, such as 2026-11-28T12:00:00Z; the value is aware, in UTC."""

    name = "instant"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Parse `value`; a text without an offset is refused, for nobody knows which clock it means."""
        if isinstance(value, datetime):
            return value
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            self.fail("give an instant with its offset, such as 2026-11-28T12:00:00Z.", param, ctx)
        return instant.astimezone(UTC)


INSTANT = Instant()
