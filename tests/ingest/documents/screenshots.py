"""`make screenshots`: the pictures of the API's pages in docs/images, taken anew in Chromium on a stack of its own.

It needs Chromium and a font with Chinese. Look at each picture before it is committed.
"""

import tempfile
from pathlib import Path

from tests import services
from tests.architecture.sources import ROOT
from tests.browser import Page, chromium

FOLDER = ROOT / "docs/images"
DESKTOP, PHONE = (1000, 760), (390, 760)


def main() -> None:
    """Take every picture."""
    with (
        services.stack() as stack,
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        chromium(Path(folder)) as page,
    ):
        take(page, "start", at=f"{stack.url}/?lang=en")
        take(page, "start-chinese-phone", at=f"{stack.url}/?lang=zh", size=PHONE)
        take(page, "docs-phone", at=f"{stack.url}/docs?lang=en", size=PHONE, shown=".opblock")
        take(page, "socket-chinese", at=f"{stack.url}/docs/socket?lang=zh")
        page.prefer(scheme="dark")
        take(page, "socket-dark", at=f"{stack.url}/docs/socket?lang=en")


def take(
    page: Page, name: str, *, at: str, size: tuple[int, int] = DESKTOP, shown: str = "h1"
) -> None:
    """Take one picture of the page at this address, when it shows an element of this kind."""
    width, height = size
    page.resize(width, height)
    page.go(at)
    page.does("document.readyState === 'complete'")
    page.does(f"document.querySelector('{shown}') !== null", seconds=60)
    page.picture(FOLDER / f"{name}.png", width=width, height=height)


if __name__ == "__main__":
    main()
