"""A person's socket: events of its frames, the session without I/O, and its two shells."""
