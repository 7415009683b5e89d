"""The staged network diagnosis: resolve, connect, proxy, TLS, HTTP.  Serves the host's `net` port."""
