"""Pictures and a file for the demo, drawn here so that none has to be shipped. Pure."""

import math
import struct
import zlib
from collections.abc import Iterable

Colour = tuple[int, int, int]

_SKY_TOP, _SKY_LOW, _WATER = (62, 74, 140), (250, 176, 120), (84, 96, 150)
_HILLS: tuple[tuple[float, float, Colour], ...] = (
    (0.50, 97.0, (122, 104, 140)),
    (0.56, 61.0, (88, 82, 122)),
    (0.62, 43.0, (54, 58, 96)),
)
_BARS = (12, 18, 15, 27, 33, 41, 38, 56, 72)


def draw_lake(width: int = 720, height: int = 480) -> bytes:
    """A lake in the evening, as PNG."""
    shores = [[_find_shore(x, height, hill) for x in range(width)] for hill in _HILLS]
    water = round(height * 0.68)
    return _write_png(
        width, [_draw_lake_row(y, width, height, shores, water) for y in range(height)]
    )


def _find_shore(x: int, height: int, hill: tuple[float, float, Colour]) -> float:
    level, length, _ = hill
    waves = math.sin(x / length) + 0.45 * math.sin(x / (length * 0.37) + level * 20)
    return height * (level + 0.045 * waves)


def _draw_lake_row(y: int, width: int, height: int, shores: list[list[float]], water: int) -> bytes:
    if y >= water:
        ripple = 0.5 + 0.5 * math.sin(y * y / 260)
        light = _mix(_WATER, _SKY_LOW, 0.35 * ripple * (height - y) / (height - water))
        return bytes(light) * width
    sky = _mix(_SKY_TOP, _SKY_LOW, y / water)
    row = bytearray(bytes(sky) * width)
    for shore, (_, _, colour) in zip(shores, _HILLS, strict=True):
        for x in range(width):
            if y >= shore[x]:
                row[3 * x : 3 * x + 3] = bytes(colour)
    return bytes(row)


def draw_chart(width: int = 640, height: int = 360) -> bytes:
    """Bars that rise, as PNG."""
    ground, bar = bytes((248, 249, 252)), bytes((64, 112, 214))
    slot = width // len(_BARS)
    gap = slot // 4
    rows = []
    for y in range(height):
        is_line = y % (height // 6) == 0
        row = bytearray((bytes((226, 230, 238)) if is_line else ground) * width)
        for number, value in enumerate(_BARS):
            if y >= height - value / max(_BARS) * height * 0.9:
                left = number * slot + gap
                row[3 * left : 3 * (left + slot - 2 * gap)] = bar * (slot - 2 * gap)
        rows.append(bytes(row))
    return _write_png(width, rows)


def _mix(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _write_png(width: int, rows: Iterable[bytes]) -> bytes:
    """A PNG of 8-bit RGB rows (https://www.w3.org/TR/png-3/, 5 and 11)."""
    lines = [b"\0" + row for row in rows]
    header = struct.pack(">IIBBBBB", width, len(lines), 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def write_pdf(title: str) -> bytes:
    """A PDF of one page with this title, which is ASCII without brackets (ISO 32000-1, 7.5)."""
    text = f"BT /F1 28 Tf 72 740 Td ({title}) Tj ET".encode("ascii")
    font = b"<< /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font %b >> >>"
        % font,
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
    )
    made, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    made += b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, table)
    return made + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        made.index(b"xref\n"),
    )
