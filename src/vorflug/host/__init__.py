"""Answers questions about a machine: the one we run on, or a recorded one."""
