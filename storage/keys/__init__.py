"""Keys and what they protect: users' tokens, and app secrets at rest."""
