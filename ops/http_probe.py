"""`python -m ops.http_probe URL`: exit 0 if the URL answers 200 within two seconds.

The health check of containers, whose image has no curl. The standard library only: it runs every few
seconds beside the process it asks.
"""

import sys
import urllib.error
import urllib.request
from http import HTTPStatus

TIMEOUT_SECONDS = 2.0


def main(url: str) -> int:
    """Ask `url` once. Returns the exit code: 0 for a 200 in time, else 1, and what is wrong goes to stderr."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 (our own command line)
            return 0 if response.status == HTTPStatus.OK else 1
    except (urllib.error.URLError, OSError) as error:
        sys.stderr.write(f"{url}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
