"""Where media is stored: a folder or an S3 bucket, behind one interface."""
