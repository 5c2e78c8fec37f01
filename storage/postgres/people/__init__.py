"""People, apps and their accounts in the record: looked up, searched and imported."""
