"""The routing proxy: every request goes to the monolith or to a service, as `routes.toml` says."""

from proxy import compiled

compiled.use(__path__)
