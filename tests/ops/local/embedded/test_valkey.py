"""The embedded Valkey: what it does when what it had written down cannot be read."""

from pathlib import Path

import pytest
import redis

from ops.local.embedded.valkey import EmbeddedValkey

pytestmark = pytest.mark.quick


def power_cut(folder: Path, damage: str) -> None:
    """Damage what Valkey has written down as a power cut or a dying disk would."""
    data = folder / "appendonlydir"
    [log], [manifest], [base] = (
        list(data.glob(f"*{end}")) for end in (".incr.aof", ".manifest", ".base.rdb")
    )
    if damage == "zeros at the end":
        log.write_bytes(log.read_bytes() + bytes(4096))
    elif damage == "noise in the middle":
        log.write_bytes(log.read_bytes()[:40] + b"*3\r\n$9\r\n\xff" + bytes(range(256)))
    elif damage == "half of the last write":
        log.write_bytes(log.read_bytes()[:-5])
    elif damage == "a list of files that is empty":
        manifest.write_bytes(bytes(80))
    else:
        base.write_bytes(bytes(base.stat().st_size))


@pytest.mark.parametrize(
    ("damage", "is_lost"),
    [
        ("zeros at the end", True),
        ("noise in the middle", True),
        ("half of the last write", False),
        ("a list of files that is empty", True),
        ("a base of zeros", True),
    ],
)
def test_what_valkey_cannot_read_is_set_aside(folder: Path, damage: str, is_lost: bool) -> None:
    """Valkey starts empty where its files cannot be read, says so once and keeps them; files it can read it reads."""
    said: list[str] = []
    server = EmbeddedValkey(folder / "valkey", say=said.append)
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.set("a", "b" * 1000)
        client.config_set("appendfsync", "always")
        client.set("c", "d" * 1000)
    server.kill()
    power_cut(folder / "valkey", damage)
    again = EmbeddedValkey(folder / "valkey", say=said.append)
    again.start()
    with redis.Redis.from_url(again.url) as client:
        assert client.exists("a") == (not is_lost)
        client.set("e", "f")
    assert len(said) == is_lost
    assert (folder / "valkey/appendonlydir.unreadable").exists() == is_lost
    again.stop()
    again.start()
    assert len(said) == is_lost  # it does not happen again
    again.kill()
