"""Where media is stored: a folder or an S3 bucket, behind one interface.

No database is imported into this room: who may send an object stands in `storage/postgres/media_objects.py`.
"""
