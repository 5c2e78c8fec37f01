"""The push gateway: holds the sockets of connected people and writes events to them as frames.

It needs Valkey and the key of the tokens, nothing else; it may be restarted at any time.
Nothing of ingest, workers or ops, and no driver of PostgreSQL, may be imported into it.
"""
