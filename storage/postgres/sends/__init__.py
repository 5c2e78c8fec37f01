"""Sends between the 2xx and the histories: intake, idempotency, the persist lane, dead letters, held sends.

Functions that ask PostgreSQL take a connection first: `list_…`, `find_…` and `count_…` read, `has_…` and `is_…` answer a
yes-or-no question. Neither `messages` nor `broadcasts` may be imported here: they build on this room.
"""
