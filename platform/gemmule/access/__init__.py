"""Projects, their requests for data, and the decisions on them."""
