"""What a gateway has read of the bus, and what a client that resumes gets of it.

Pure: nothing here awaits, reads a clock or touches a socket; `gateway`, `connection`, `hub` and `feed` must not be
imported into it.
"""
