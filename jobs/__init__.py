"""The only place that creates, runs or waits on a Pipeline."""
