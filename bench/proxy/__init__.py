"""The routing proxy beside nginx, HAProxy and Envoy: CPU per request for equal work in one run."""
