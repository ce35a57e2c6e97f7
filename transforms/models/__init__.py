"""Encoders and judges, behind two small protocols, and where their weights come from."""
