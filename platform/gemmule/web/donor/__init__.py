"""The donor's pages: what I allow, who has used it, how I stop."""
