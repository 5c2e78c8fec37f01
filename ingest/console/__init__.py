"""The operator's web console at `/console`: what is under way, live, and what an operator can do about it.

It is off unless CARILLON_CONSOLE_TOKEN is set, and is no part of the clients' API. `app.py`: its routes; `sign_in.py`:
signing in and out; `session.py`: the cookie; `operations/`: what the page asks and does; `static/`: the page. The
clients' routes may not be imported here.
"""
