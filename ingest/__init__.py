"""The API process: authenticates callers, validates and accepts sends, and answers reads from PostgreSQL.

Nothing of `workers`, `push_gateway` or `ops` may be imported here.
"""
