"""What every process has: logs, traces, metrics and a limit of open files."""
