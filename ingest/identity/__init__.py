"""Who is calling, and what a request names: people, apps, accounts, uploaded objects.

Nothing of sends, routes, the console or the process's `Services` may be imported here.
"""
