"""What was accepted and is not in the histories yet: intake, keys, lanes, dead letters."""
