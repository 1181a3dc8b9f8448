"""Attacks by request: thirteen families, each a heuristic of its own, found in one pass over what was asked for."""
