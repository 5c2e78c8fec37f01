"""Sending: the rules, the look-ups they need, the intake, batches and recalls.

Nothing of routes or of the process's `Services` may be imported here.
"""
