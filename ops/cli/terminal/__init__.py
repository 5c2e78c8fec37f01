"""What commands print: text, tables and progress."""
