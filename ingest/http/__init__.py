"""The small web framework of ingest: declared routes, requests in, answers and errors out.

It knows no subject: nothing of sends, people or the record may be imported here.
"""
