"""Broadcasts in the record: plans, chunks, recalls, failures and reports."""
