"""What describes Carillon to programs and to people: `/openapi.json`, `/asyncapi.json`, and the pages that show them.

Made of the declarations of routes and of the shapes in `ingest/models/`, when they are first asked for. Nothing that queries
or serves may be imported here.
"""
