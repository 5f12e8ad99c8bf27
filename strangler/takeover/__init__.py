"""A table set changes its owning database. One file a verb; verbs share the engines and import no other."""
