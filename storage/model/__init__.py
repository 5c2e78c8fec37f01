"""The words of the domain as plain values: stdlib only, no input or output, no clock."""
