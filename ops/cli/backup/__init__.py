"""`carillon backup` and `carillon restore`."""
