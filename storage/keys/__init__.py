"""Keys and what they protect: users' tokens, and app secrets at rest.

Neither a database nor Valkey is imported into this room: rows and callers are others' business.
"""
