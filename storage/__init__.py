"""Everything that is stored or crosses a pipe: tables, named SQL, bus, queue, tickets, media.

Called by ingest, workers, push_gateway and ops; knows none of them.
"""
