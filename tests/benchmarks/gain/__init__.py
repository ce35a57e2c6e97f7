"""Tests of the benchmark that trains students."""
