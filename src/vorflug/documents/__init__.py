"""Bytes on one side, values on the other: profiles, site files, facts, reports."""
