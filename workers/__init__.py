"""Celery workers: they persist what was accepted, expand broadcasts, publish, sweep and keep up."""
