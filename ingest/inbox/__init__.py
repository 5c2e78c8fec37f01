"""The inbox at `/inbox`: the page that a person reads and writes messages on, and who may be signed in to it for a demo.

The page itself is built in `clients/inbox`; `make clients` copies it into `static/`. It uses the public API, as every
client does. Nothing of the console may be imported into this room.
"""
