"""Offline mining of training negatives for embedding models and rerankers."""
