"""The demo's pictures and its file are what they claim to be."""

import struct
import zlib

import pytest

from ops.cli.demo import drawings

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("picture", "width", "height"),
    [(drawings.draw_lake(90, 60), 90, 60), (drawings.draw_chart(90, 60), 90, 60)],
)
def test_a_picture_is_a_whole_png(picture: bytes, width: int, height: int) -> None:
    """Every chunk has its checksum, and there are as many bytes of colour as the header says."""
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    place, chunks = 8, {}
    while place < len(picture):
        length, kind = struct.unpack(">I4s", picture[place : place + 8])
        data = picture[place + 8 : place + 8 + length]
        assert struct.unpack(">I", picture[place + 8 + length : place + 12 + length])[0] == (
            zlib.crc32(kind + data)
        )
        chunks[kind] = data
        place += 12 + length
    assert struct.unpack(">II", chunks[b"IHDR"][:8]) == (width, height)
    assert len(zlib.decompress(chunks[b"IDAT"])) == height * (1 + 3 * width)
    assert list(chunks)[-1] == b"IEND"


def test_a_file_is_a_pdf_whose_objects_are_where_it_says() -> None:
    """Each place in the table of the PDF is that of its object, and the table is where the end says."""
    pdf = drawings.write_pdf("A title")
    table = int(pdf.rpartition(b"startxref\n")[2].split()[0])
    lines = pdf[table:].splitlines()
    assert lines[0] == b"xref"
    for number, line in enumerate(lines[3:7], start=1):
        assert pdf[int(line[:10]) :].startswith(b"%d 0 obj" % number)
