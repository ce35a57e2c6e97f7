"""Models on GPUs: what can be shown without one, and what needs one."""
