"""The HTTP door: authenticates, judges and accepts requests, and answers reads from the record."""
