"""Sending: the rules, the look-ups they need, group commit, batches, waiting and recalling.

A send goes one way: `sender` or `batch` asks `validator` for a `Send`, gives it to `intake` and returns what was
accepted. Each part is given what it needs. Nothing of routes, the console or the process's `Services` may be
imported here.
"""
