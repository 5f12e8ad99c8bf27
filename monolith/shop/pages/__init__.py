"""The shop as people see it: server-rendered pages, and the tags they browse by."""
