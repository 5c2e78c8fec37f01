"""Who may send an uploaded object: a row with its owner for each upload that was allowed (contract §4)."""

from collections.abc import Collection

from sqlalchemy import Connection, Text, any_, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from storage.model.media import MediaObject
from storage.postgres.tables import media_objects


def record_upload(
    connection: Connection, key: str, *, owner: str, content_type: str, filename: str, size: int
) -> None:
    """Record the owner of the object `key`, before its upload is allowed; in the caller's transaction."""
    row = {
        "key": key,
        "owner": owner,
        "content_type": content_type,
        "filename": filename,
        "size": size,
    }
    connection.execute(insert(media_objects).values(row))


def find(connection: Connection, keys: Collection[str]) -> list[MediaObject | None]:
    """The objects of these keys, in their order; None for a key that nobody was allowed to upload. Primary key."""
    table = media_objects.c
    wanted = table.key == any_(literal(list(keys), ARRAY(Text)))
    rows = connection.execute(select(table.key, table.owner, table.filename).where(wanted))
    found = {row.key: MediaObject(row.owner, row.filename) for row in rows}
    return [found.get(key) for key in keys]
