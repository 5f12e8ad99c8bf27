"""The routing proxy: every request goes to the monolith or to a service, as `routes.toml` says."""
