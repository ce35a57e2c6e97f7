"""What is done with published runs."""
