"""The small web framework of ingest: declared routes, requests in, responses and errors out.

It knows no subject. Nothing of sends, identity, routes or `Services` may be imported here, and nothing that queries
PostgreSQL; what the handler needs of the process is `endpoint.HandlerServices`.
"""
