"""Every call of the API that this package knows, one module a subject. They do no I/O: see `exchange.py`."""
