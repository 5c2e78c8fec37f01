"""The broadcast lanes: a broadcast is planned into chunks, expanded and published chunk by chunk, and taken back.

Each lane is a process that consumes the queue `broadcasts`. Nothing of the persist lane, the sweep or upkeep may be
imported here: lanes share nothing with them but PostgreSQL.
"""
