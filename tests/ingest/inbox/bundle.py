"""A bundle for tests of the door, small and made here: what `make clients` builds is another matter."""

from pathlib import Path

PAGE = '<!doctype html><html lang="en"><head><meta charset="utf-8"><script type="module" src="./assets/inbox.js"></script></head><body></body></html>'
SCRIPT = "document.title = 'loaded';"


def write_bundle(folder: Path) -> None:
    """Write a page that loads one script."""
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "assets" / "inbox.js").write_text(SCRIPT)
