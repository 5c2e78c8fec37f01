"""Broadcasts: planning, expanding, cancelling, taking back, trying again, and reports about them.

`sends` and `people` may be imported here; `messages` may not, which is a room beside this one.
"""
