"""What operators do: each act changes something and writes its row of the audit, in the caller's one transaction.

The console and the commands call these, and not the functions that change without a row. A module is about one subject.
An act takes the `Actor`, and what it raises leaves neither a change nor a row. Rows hold no secret and nothing that people
wrote.
"""
