"""What requests and responses carry, as plain shapes. Nothing of HTTP or of the record's queries may be imported here."""
