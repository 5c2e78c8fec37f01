"""`carillon demo`: a tour of Carillon with people, an app and a socket of its own."""
