"""What people are told: an inbox of rows, and mail as a best effort."""
