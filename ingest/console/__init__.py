"""The operator's web console at `/console`: what is under way, live, and the levers.

Off unless CARILLON_CONSOLE_TOKEN is set. `app.py`: its routes; `session.py`: who is signed in;
`operations.py`: what the page asks and does; `static/`: the page. No part of the clients' API.
"""
