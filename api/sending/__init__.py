"""What goes out: a follower of the store fills an outbox, and a worker for each target empties it."""
