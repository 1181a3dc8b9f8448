"""Look for threats in the logs that Zeek and Suricata already write."""

__version__ = "0.1.0"
