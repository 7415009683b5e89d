"""Frozen values that every layer above shares: no I/O, no clock, no host."""
