"""The query language: what people write to find events, as an expression that every store answers."""
