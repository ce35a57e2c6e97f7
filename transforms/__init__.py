"""What is done to the data: kernels, models, readers, exporters and the PTransforms over blocks."""
