"""The rules of `consent.policy`, each a pure function from facts to clauses."""
