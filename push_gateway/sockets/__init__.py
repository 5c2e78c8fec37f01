"""The parts of `websocket_protocol.py`: what a socket is to the gateway, and what it may cost.

Nothing of people, events or the bus may be imported into it.
"""
