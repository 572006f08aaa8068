"""Who people are: users and their roles, keys, tokens, signatures."""
