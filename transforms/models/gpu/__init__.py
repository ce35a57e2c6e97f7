"""Inference on GPUs: tokenised ahead, batches of fixed shape, replayed as CUDA graphs."""
