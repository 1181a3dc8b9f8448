"""HTTP: the JSON API, block lists, health, metrics and the page for people."""
