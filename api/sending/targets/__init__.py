"""Targets: what takes events, each in its own form."""
