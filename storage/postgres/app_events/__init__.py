"""Events to apps (contract §9): written where they are caused, numbered in one place, pushed and pulled.

The rooms above write events by `writing.py`, inside their own statements; this room asks nothing of them.
"""
