"""One file that holds a deployment: its record, its media and its secrets; written while it serves, and read back.

Called by `carillon backup` and `carillon restore` (docs/decisions/0034-backups.md). Nothing of the command line may be imported here.
"""
