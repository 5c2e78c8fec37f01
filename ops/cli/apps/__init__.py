"""`carillon app`: business apps, their secrets, and what belongs to them."""
