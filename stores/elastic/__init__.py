"""The store for several sensors and consoles: Elasticsearch, one data stream of events a namespace."""
