"""Benches: each measures ours and the floor beside it in the same run, and prints a table.

Ratios are what counts; the machine is shared. `make bench-…` runs them.
"""
