"""The record: tables, connections and every query, as functions of a synchronous Connection."""
