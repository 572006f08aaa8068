"""Check receipts, whole ledgers and donor records offline. No Django, no database."""
