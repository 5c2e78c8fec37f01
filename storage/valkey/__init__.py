"""What goes through Valkey, both ends of each pipe: the bus, tickets, limits, reports and questions about strangers.

Nothing of PostgreSQL, media or keys is imported into this room, and no other room imports the driver.
"""
