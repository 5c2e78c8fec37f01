"""What a backup says of itself: when and by which release it was made, and the size and digest of each part."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from storage.model.errors import PermanentError

FORMAT = 1  # a release reads this one and those below it


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the file: its size in bytes, and its SHA-256 in hexadecimal digits."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`schema` is the revision of the last migration, `media_objects` the number of files in the part of the media.

    `made_at` is the clock of PostgreSQL at the moment before the record was read.
    """

    made_at: datetime
    release: str
    schema: str
    media_objects: int
    parts: Mapping[str, Part]
    format: int = FORMAT

    def encode(self) -> bytes:
        """The manifest as the file carries it."""
        fields = asdict(self) | {"made_at": self.made_at.isoformat()}
        return json.dumps(fields, indent=2, sort_keys=True).encode() + b"\n"


def decode_manifest(text: bytes) -> Manifest:
    """Read what `encode` wrote.

    Raises PermanentError if it is of a newer format, or no manifest.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        if int(fields["format"]) > FORMAT:
            raise PermanentError(
                f"The backup was made by a newer release, {fields.get('release')}: restore it with that one."
            )
        return Manifest(
            made_at=datetime.fromisoformat(fields["made_at"]),
            release=str(fields["release"]),
            schema=str(fields["schema"]),
            media_objects=int(fields["media_objects"]),
            parts={
                name: Part(int(part["size"]), part["sha256"])
                for name, part in fields["parts"].items()
            },
            format=int(fields["format"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PermanentError("The backup's manifest cannot be read.") from None
