"""The command line: commands, live progress, exit codes."""
