"""Messages, deliveries and conversations: how they get into the histories, are read, recalled and dropped.

`sends` and `people` may be imported here; `broadcasts` may not, which is a room beside this one.
"""
