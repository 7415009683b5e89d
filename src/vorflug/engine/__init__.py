"""Finds the areas, plans, collects and judges."""
