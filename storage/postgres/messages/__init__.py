"""Messages, deliveries and conversations in the record: how they get there, are read, recalled and let go."""
