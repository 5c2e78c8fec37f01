"""What requests and responses carry, as plain shapes.

Nothing of HTTP may be imported here, nor anything that queries PostgreSQL or Valkey.
"""
