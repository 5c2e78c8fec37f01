"""Running Carillon: the operator's command, the one-machine stack, embedded servers, benchmarks.

The top floor: it may import every process, and no other package may import it.
"""
