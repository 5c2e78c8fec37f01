"""Benches: each measures Carillon and a floor in turns in the same run, and prints a table.

The ratio of the two is what counts, for machines differ and are shared. `make bench-…` runs them. Nothing may import a bench
but another bench, and tests what they share of `bench_environment.py`.
"""
