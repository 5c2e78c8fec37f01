"""The page `docs/api/errors.md`, made from the table of error codes; `make docs` writes it, a test compares it.

Run as `python -m ops.errors_page`, it writes the page to standard output.
"""

import sys
from itertools import groupby

from storage.model.error_codes import ErrorCode

HEAD = """\
# Every error, and what to do

[中文](zh/errors.md)

<!-- Made from the code by `make docs`. Do not edit by hand: a test compares the two. -->

Every error of every HTTP path, of the socket's handshake too, is a JSON object:

```json
{"detail": "There is no such receiver.", "code": "UNKNOWN_RECEIVER", "request_id": "6f2c0e1d94aa-1f"}
```

- `code` is for programs. It never changes its meaning, and new ones come; treat one that you do not know by its status.
- `detail` is for people: a sentence, or with 422 a list of `{"loc": [...], "msg": "...", "type": "..."}`. It may change.
- `request_id` is that of the header `X-Request-Id`. The operator finds the request's lines in the logs by it.
- 429 and 503 carry `Retry-After` in seconds, 401 `WWW-Authenticate`, 405 `Allow`. `CLOCK_SKEW` has `server_time` as well.
- An entry of a batch that is refused has `index`, `status`, `detail` and `code` of its own.
"""


def render_errors_page() -> str:
    """The whole page `docs/api/errors.md`, as Markdown: a table for each status."""
    by_status = groupby(sorted(ErrorCode, key=lambda code: code.status), key=lambda c: c.status)
    return "\n".join((HEAD, *(_render_table(status, list(codes)) for status, codes in by_status)))


def _render_table(status: int, codes: list[ErrorCode]) -> str:
    rows = "".join(f"| `{code.name}` | {code.meaning} | {code.advice} |\n" for code in codes)
    return f"## {status}\n\n| code | meaning | what to do |\n|---|---|---|\n{rows}"


if __name__ == "__main__":
    sys.stdout.write(render_errors_page())
