"""Other engines for a model's forward pass on the CPU, each an extra of the package."""
