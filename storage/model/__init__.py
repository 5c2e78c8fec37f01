"""The words of the domain as plain values, and our errors.

Pure: only the standard library is imported into this room, and of it nothing that reads a clock, a file, a socket or
the environment.
"""
