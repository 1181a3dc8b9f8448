"""Zeek's logs of the sample."""
