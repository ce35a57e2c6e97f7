"""What negative sets are worth: students trained with them, and the table of their gains."""
