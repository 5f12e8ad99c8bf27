"""Compare the monolith's answers with a service's. `judge` is the pure core, `drain` the process."""
