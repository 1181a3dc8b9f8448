"""Tests of behaviours."""
