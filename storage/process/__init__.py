"""What every process has: logs, traces, metrics and a limit of open files.

Neither the record nor Valkey is imported into this room, and no server or framework.
"""
