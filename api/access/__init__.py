"""Who may what: accounts, sessions, keys, and what each route asks of them."""
