"""What donors allow: their terms, their decisions, and the function that decides."""
