"""`carillon keys`: replacing the secrets of a data folder, and what they seal."""
