"""A published run as exporters read it: whole queries, a bounded block at a time."""
