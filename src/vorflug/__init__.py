"""Vorflug: pre-flight checks against a versioned requirements profile, with a signed report."""

__version__ = "0.1.0"
