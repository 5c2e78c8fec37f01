"""Ports: the one that a folder keeps, and when another is chosen."""

from pathlib import Path

import pytest

from ops.local.ports import choose_port
from ops.local.state_files import write_private
from tests import services

pytestmark = pytest.mark.quick


def test_a_damaged_file_of_the_port_is_no_obstacle(tmp_path: Path) -> None:
    """If the file of a port is damaged, another port is chosen and kept."""
    for content in (b"", bytes(5), b"99999", b"\xff\xfe"):
        (tmp_path / "port").write_bytes(content)
        port = choose_port(tmp_path / "port")
        assert choose_port(tmp_path / "port") == port


def test_a_taken_port_is_given_up(tmp_path: Path) -> None:
    """If somebody else listens on the port that was kept, another one is chosen and kept."""
    with services.valkey() as other:
        write_private(tmp_path / "port", other.url.rpartition(":")[2].partition("/")[0])
        port = choose_port(tmp_path / "port")
        assert str(port) not in other.url
        assert choose_port(tmp_path / "port") == port
