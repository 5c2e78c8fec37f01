"""A person's data: handing it over, and erasing it.

It reads and deletes in the tables of every other room of `storage/postgres`, and none of them may import it.
"""
