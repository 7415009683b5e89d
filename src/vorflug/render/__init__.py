"""Turns a report into something to read: terminal, HTML, JUnit, Markdown, CSV."""
