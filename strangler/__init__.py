"""The kit: routes flip, answers are compared, tables change their owner. The command is `strangler`."""
