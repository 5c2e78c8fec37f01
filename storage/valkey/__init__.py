"""What goes through Valkey, both ends of each pipe: the bus, tickets, limits and reports."""
