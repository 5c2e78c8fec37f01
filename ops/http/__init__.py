"""uvicorn's HTTP/1.1 protocol with budgets: the server side that ingest, gateway and the single port share.

Nothing of ingest, workers or push_gateway may be imported into it, and they do not import it: uvicorn is told its name.
"""
