"""The cases of the Autobahn test suite, groups 1 to 7, 9 and 10, under their published numbers.

The suite itself (autobahntestsuite on PyPI) runs on Python 2 only. What each case sends and expects is
told from its published descriptions; `wire.py` sends and judges.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, product

from tests.push_gateway.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    Case,
    Got,
    Pause,
    chop,
    close,
    frame,
    head,
)

PROTOCOL_ERROR = frozenset({1002})
NOT_UTF8 = frozenset({1007})
HELLO = b"Hello, world!"
KIB, MIB = 1 << 10, 1 << 20
Step = bytes | Pause | int


def all_cases(*, largest: int = 16 * MIB) -> list[Case]:
    """Every case whose messages have at most `largest` bytes, in the order of the numbers."""
    groups = (
        *(echoes(), pings(), list_reserved_bits(), list_reserved_opcodes(), fragments()),
        *(texts(), closes(), big_messages(largest), auto_fragmented()),
    )
    return list(chain.from_iterable(groups))


def octets(*frames: bytes) -> tuple[bytes, ...]:
    """One write an octet."""
    return chop(b"".join(frames))


def make_fragments(opcode: int, parts: Sequence[bytes]) -> list[bytes]:
    """A message in fragments."""
    last = len(parts) - 1
    return [
        frame(CONTINUATION if number else opcode, part, fin=number == last)
        for number, part in enumerate(parts)
    ]


def fails(
    name: str, steps: Iterable[Step], *frames: Got, codes: frozenset[int] = PROTOCOL_ERROR
) -> Case:
    """A case in which the peer must fail the connection."""
    return Case(name, tuple(steps), frames, codes)


def echoes() -> Iterator[Case]:
    """1: messages of many lengths."""
    for group, opcode in ((1, TEXT), (2, BINARY)):
        fill = b"*" if opcode == TEXT else b"\xfe"
        for number, length in enumerate((0, 125, 126, 127, 128, 65535, 65536), start=1):
            data = fill * length
            yield Case(f"1.{group}.{number}", (frame(opcode, data),), ((opcode, data),))
        data = fill * 65536
        yield Case(f"1.{group}.8", chop(frame(opcode, data), 997), ((opcode, data),))


def pings() -> Iterator[Case]:
    """2: pings and pongs."""
    payloads = (b"", HELLO, bytes([0, 255, 254, 253, 252, 251, 0, 255]), b"\xfe" * 125)
    for number, payload in enumerate(payloads, start=1):
        yield Case(f"2.{number}", (frame(PING, payload),), ((PONG, payload),))
    yield fails("2.5", [frame(PING, b"\xfe" * 126)])
    yield Case("2.6", octets(frame(PING, b"\xfe" * 125)), ((PONG, b"\xfe" * 125),))
    yield Case("2.7", (frame(PONG),))
    yield Case("2.8", (frame(PONG, b"unsolicited pong payload"),))
    asked = frame(PING, b"ping payload")
    yield Case("2.9", (frame(PONG, b"unsolicited"), asked), ((PONG, b"ping payload"),))
    ten = [b"payload-%d" % number for number in range(10)]
    sent, answers = [frame(PING, one) for one in ten], tuple((PONG, one) for one in ten)
    yield Case("2.10", tuple(sent), answers)
    yield Case("2.11", octets(*sent), answers)


def list_reserved_bits() -> Iterator[Case]:
    """3: RSV bits that no extension gave a meaning."""
    echo, hello = (TEXT, HELLO), frame(TEXT, HELLO)
    yield fails("3.1", [frame(TEXT, HELLO, rsv=1)])
    yield fails("3.2", [hello + frame(TEXT, HELLO, rsv=2) + frame(PING)], echo)
    yield fails("3.3", [hello, frame(TEXT, HELLO, rsv=3), frame(PING)], echo)
    yield fails("3.4", octets(hello, frame(TEXT, HELLO, rsv=4), frame(PING)), echo)
    yield fails("3.5", [frame(BINARY, b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", rsv=5)])
    yield fails("3.6", [frame(BINARY, HELLO, rsv=6)])
    yield fails("3.7", [frame(CLOSE, rsv=7)])


def list_reserved_opcodes() -> Iterator[Case]:
    """4: opcodes without a meaning."""
    echo, hello = (TEXT, HELLO), frame(TEXT, HELLO)
    for group, first in ((1, 3), (2, 11)):
        yield fails(f"4.{group}.1", [frame(first)])
        yield fails(f"4.{group}.2", [frame(first + 1, b"reserved opcode payload")])
        yield fails(f"4.{group}.3", [hello + frame(first + 2) + frame(PING)], echo)
        yield fails(f"4.{group}.4", [hello + frame(first + 3, HELLO) + frame(PING)], echo)
        yield fails(f"4.{group}.5", octets(hello, frame(first + 4, HELLO), frame(PING)), echo)


def fragments() -> Iterator[Case]:
    """5: fragments, and what may come between them."""
    two = make_fragments(TEXT, [b"fragment1", b"fragment2"])
    whole = (TEXT, b"fragment1fragment2")
    yield fails("5.1", make_fragments(PING, [b"fragment1", b"fragment2"]))
    yield fails("5.2", make_fragments(PONG, [b"fragment1", b"fragment2"]))
    yield from _three_ways(3, lambda name, steps: Case(name, steps, (whole,)), two)
    asked, answer = frame(PING, b"ping payload"), (PONG, b"ping payload")
    between = [two[0], asked, two[1]]
    yield from _three_ways(6, lambda name, steps: Case(name, steps, (answer, whole)), between)
    for first, fin in ((9, True), (12, False)):
        lone = [frame(CONTINUATION, b"non-continuation payload", fin=fin), frame(TEXT, HELLO)]
        yield from _three_ways(first, fails, lone)
    lone = [frame(CONTINUATION, b"fragment3", fin=False), frame(TEXT, b"fragment4")]
    yield fails("5.15", [b"".join([*two, *lone])], whole)
    for number, fin in ((16, False), (17, True)):
        once = [frame(CONTINUATION, b"fragment1", fin=fin)]
        once += make_fragments(TEXT, [b"fragment2", b"fragment3"])
        yield fails(f"5.{number}", once * 2)
    yield fails("5.18", [frame(TEXT, b"fragment1", fin=False) + frame(TEXT, b"fragment2")])
    parts = [b"fragment%d" % number for number in range(1, 6)]
    five, asks = make_fragments(TEXT, parts), [frame(PING, b"pongme 1!"), frame(PING, b"pongme 2!")]
    answers = ((PONG, b"pongme 1!"), (PONG, b"pongme 2!"))
    before, after = [*five[:2], asks[0]], [*five[2:4], asks[1], five[4]]
    frames = (*answers, (TEXT, b"".join(parts)))
    yield Case("5.19", (b"".join(before), PONG, b"".join(after)), frames)
    yield Case("5.20", (*before, PONG, *after), frames)


def _three_ways(
    first: int, make: Callable[[str, tuple[bytes, ...]], Case], frames: Sequence[bytes]
) -> Iterator[Case]:
    """In one write, a write a frame, a write an octet."""
    ways: Sequence[tuple[bytes, ...]]
    ways = ((b"".join(frames),), tuple(frames), octets(*frames))
    for number, steps in enumerate(ways, start=first):
        yield make(f"5.{number}", steps)


def texts() -> Iterator[Case]:
    """6: UTF-8, whole and in pieces, right and wrong."""
    yield Case("6.1.1", (frame(TEXT),), ((TEXT, b""),))
    yield Case("6.1.2", tuple(make_fragments(TEXT, [b"", b"", b""])), ((TEXT, b""),))
    middle = make_fragments(TEXT, [b"", b"middle frame payload", b""])
    yield Case("6.1.3", tuple(middle), ((TEXT, b"middle frame payload"),))
    said = "Hello-µ@ßöäüàá-UTF-8!!".encode()
    greek = "κόσμε".encode()
    yield Case("6.2.1", (frame(TEXT, said),), ((TEXT, said),))
    yield Case("6.2.2", tuple(make_fragments(TEXT, [said[:12], said[12:]])), ((TEXT, said),))
    yield Case("6.2.3", tuple(make_fragments(TEXT, chop(said))), ((TEXT, said),))
    yield Case("6.2.4", tuple(make_fragments(TEXT, chop(greek))), ((TEXT, greek),))
    wrong = greek + b"\xed\xa0\x80edited"
    yield fails("6.3.1", [frame(TEXT, wrong)], codes=NOT_UTF8)
    yield fails("6.3.2", make_fragments(TEXT, chop(wrong)), codes=NOT_UTF8)
    yield from _fail_fast(greek)
    for group, sequences in enumerate(_sequences(greek), start=5):
        for number, data in enumerate(sequences, start=1):
            yield _text(f"6.{group}.{number}", data)


def _fail_fast(greek: bytes) -> Iterator[Case]:
    """6.4: when is a text found out that is wrong in its middle; late is not strict."""
    wait = Pause(0.05)
    splits = (
        [greek, b"\xf4\x90\x80\x80", b"edited"],
        [greek + b"\xf4", b"\x90", b"\x80\x80edited"],
    )
    for number, parts in enumerate(splits, start=1):
        first, second, third = make_fragments(TEXT, parts)
        yield fails(f"6.4.{number}", [first, wait, second, wait, third], codes=NOT_UTF8)
    for number, parts in enumerate(splits, start=3):
        whole = b"".join(parts)
        start = head(TEXT, len(whole)) + bytes(4)  # a mask of zeros
        chops = (start + parts[0], wait, parts[1], wait, parts[2])
        yield fails(f"6.4.{number}", chops, codes=NOT_UTF8)


def _text(name: str, data: bytes) -> Case:
    try:
        data.decode()
    except UnicodeDecodeError:
        return fails(name, [frame(TEXT, data)], codes=NOT_UTF8)
    return Case(name, (frame(TEXT, data),), ((TEXT, data),))


def _hex(text: str) -> list[bytes]:
    return [bytes.fromhex(one) for one in text.split()]


def _sequences(greek: bytes) -> Iterator[list[bytes]]:
    """6.5 to 6.23: Markus Kuhn's stress test of UTF-8 decoders; Python's own says which are right."""
    yield [b"hello%bworld" % one for one in _hex("24 c2a2 e282ac f0a4ada2")] + [greek]
    yield [greek[:length] for length in range(1, len(greek) + 1)]
    yield _hex("00 c280 e0a080 f0908080")
    yield _hex("f888808080 fc8480808080")
    yield _hex("7f dfbf efbfbf f48fbfbf")
    yield _hex("f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf")
    yield _hex("ed9fbf ee8080 efbfbd f48fbfbf f4908080")
    yield [
        *_hex("80 bf"),
        *((b"\x80\xbf" * 3)[:length] for length in range(2, 7)),
        bytes(range(128, 191)),
    ]
    lonely = ((0xC0, 0xDF), (0xE0, 0xEF), (0xF0, 0xF7), (0xF8, 0xFB), (0xFC, 0xFD))
    yield [b"".join(bytes([one, 32]) for one in range(*ends)) for ends in lonely]
    cut = _hex("c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf")
    yield cut
    yield [b"".join(cut)]
    yield _hex("fe ff fefeffff")
    yield _hex("c0af e080af f08080af f8808080af fc80808080af")
    yield _hex("c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf")
    yield _hex("c080 e08080 f0808080 f880808080 fc8080808080")
    yield _hex("eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf")
    yield [a + b for a, b in product(_hex("eda080 edadbf edae80 edafbf"), _hex("edb080 edbfbf"))]
    planes = [
        chr(plane << 16 | last).encode() for plane in range(1, 17) for last in (0xFFFE, 0xFFFF)
    ]
    yield [*_hex("efbfbe efbfbf"), *planes]
    yield _hex("efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf")


def closes() -> Iterator[Case]:
    """7: how it ends."""
    normal, hello = close(1000), frame(TEXT, HELLO)
    clean = frozenset({1000})
    yield Case("7.1.1", (hello, TEXT, normal), ((TEXT, HELLO),), clean, is_clean=True)
    yield Case("7.1.2", (normal + frame(CLOSE),), (), clean, is_clean=True)
    yield Case("7.1.3", (normal + frame(PING),), (), clean, is_clean=True)
    yield Case("7.1.4", (normal + hello,), (), clean, is_clean=True)
    first, second = make_fragments(TEXT, [b"fragment1", b"fragment2"])
    yield Case("7.1.5", (first + normal + second,), (), clean, is_clean=True)
    big = b"BAsd7&jh23" * (256 * KIB // 10)
    steps = (frame(TEXT, big) + hello, normal + frame(PING))
    # What is echoed before the close is the peer's choice.
    yield fails("7.1.6", steps, (TEXT, big), (TEXT, HELLO), codes=clean)
    yield Case("7.3.1", (frame(CLOSE),), (), clean, is_clean=True)
    yield fails("7.3.2", [frame(CLOSE, b"a")])
    yield Case("7.3.3", (normal,), (), clean, is_clean=True)
    yield Case("7.3.4", (close(1000, b"Hello World!"),), (), clean, is_clean=True)
    yield Case("7.3.5", (close(1000, b"*" * 123),), (), clean, is_clean=True)
    yield fails("7.3.6", [close(1000, b"*" * 124)])
    wrong = "κόσμε".encode() + b"\xed\xa0\x80edited"
    yield fails("7.5.1", [close(1000, wrong)], codes=PROTOCOL_ERROR | NOT_UTF8)
    valid = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
    for number, code in enumerate(valid, start=1):
        codes = frozenset({1000, code})
        yield Case(f"7.7.{number}", (close(code),), (), codes, is_clean=True)
    invalid = (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999)
    for number, code in enumerate(invalid, start=1):
        yield fails(f"7.9.{number}", [close(code)])
    for number, code in enumerate((5000, 65535), start=1):  # undefined by the RFC: it must end
        yield fails(f"7.13.{number}", [close(code)], codes=frozenset({1000, 1002, code}))


def big_messages(largest: int) -> Iterator[Case]:
    """9: large messages whole, in fragments and in small writes; many messages there and back."""
    for kind, opcode in enumerate((TEXT, BINARY)):
        fill = b"*" if opcode == TEXT else b"\xfe"
        sizes = (64 * KIB, 256 * KIB, MIB, 4 * MIB, 8 * MIB, 16 * MIB)
        for number, size in enumerate(sizes, start=1):
            if size <= largest:
                data = fill * size
                yield Case(f"9.{1 + kind}.{number}", (frame(opcode, data),), ((opcode, data),))
        for number in range(1, 10 if largest >= 4 * MIB else 1):
            data = fill * (4 * MIB)
            whole = b"".join(make_fragments(opcode, chop(data, 16 * 4**number)))
            yield Case(f"9.{3 + kind}.{number}", (whole,), ((opcode, data),))
        for number in range(1, 7 if largest >= MIB else 1):
            data = fill * MIB
            pieces = chop(frame(opcode, data), 32 * 2**number)
            yield Case(f"9.{5 + kind}.{number}", pieces, ((opcode, data),))
        for number, size in enumerate((0, 16, 64, 256, 1024, 4096), start=1):
            data = fill * size
            once: tuple[Step, ...] = (frame(opcode, data), opcode)
            yield Case(f"9.{7 + kind}.{number}", once * 1000, ((opcode, data),) * 1000)


def auto_fragmented() -> Iterator[Case]:
    """10: a message that its sender's library has cut up."""
    data = b"*" * 65536
    yield Case("10.1.1", tuple(make_fragments(TEXT, chop(data, 1300))), ((TEXT, data),))
