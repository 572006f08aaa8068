"""Forms, by audience: they parse what was typed into domain values and stop."""
