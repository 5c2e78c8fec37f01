"""Running Carillon: the operator's command, the one-machine stack, embedded servers, benchmarks.

The top floor: it may know every process, and nothing below may know it.
"""
