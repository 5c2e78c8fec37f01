"""`carillon operator` and `carillon audit`: who runs the deployment, and what they did."""
