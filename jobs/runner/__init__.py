"""How a pipeline is run: engine, options, memory, progress, and what its failures say."""
