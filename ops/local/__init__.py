"""The stack on one machine: embedded servers, processes, and the supervisor that keeps them running.

Nothing of commands and benches may be imported here. Only `single_port.py` knows ingest and the push gateway.
"""
