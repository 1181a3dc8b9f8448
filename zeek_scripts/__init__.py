"""The Zeek package for the capture host."""
