"""The operators' web console at `/console`: what is under way, live, and what an operator can do about it.

It is off unless CARILLON_CONSOLE_TOKEN or CARILLON_CONSOLE is set, and is no part of the clients' API. `app.py`: its
routes; `endpoints.py`: how they answer; `sign_in.py`, `credentials.py`, `session.py`: who gets in, and the cookie;
`visit.py`: one request of somebody who is in; `operations/`: what the page asks and does; `static/`: the page. The
clients' routes may not be imported here.
"""
