"""Tell the proxy which rows a request changed, so that a service's rehearsal of it can be compared."""
