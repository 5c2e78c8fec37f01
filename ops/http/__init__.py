"""uvicorn's HTTP/1.1 protocol with budgets: the server side that ingest, gateway and the single port share."""
