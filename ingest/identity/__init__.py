"""Who is calling, and whom a request names. Nothing of sends or routes may be imported here."""
