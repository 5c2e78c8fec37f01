"""Who is calling, for commands: tokens of people, signatures of apps, and clients of the API that carry them."""
