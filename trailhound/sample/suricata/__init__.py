"""Suricata's log of the sample."""
