"""Kibana dashboards as code, index templates and lifecycle."""
