"""One file per command, each with its click command as ``command``; imported only when it is called."""
