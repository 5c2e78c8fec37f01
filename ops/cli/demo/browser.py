"""Opening an address in the browser of who sits at this machine."""

import webbrowser

# In a terminal: the demo has that one.
_OF_TERMINALS = frozenset({"www-browser", "links", "elinks", "lynx", "w3m"})


def open_address(address: str) -> bool:
    """Open `address` in a browser with windows; False if there is none, as on a server."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    if getattr(browser, "name", "") in _OF_TERMINALS:
        return False
    return bool(browser.open(address))
