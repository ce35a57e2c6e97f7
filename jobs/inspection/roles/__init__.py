"""Which columns of a file of rows are query, positive, negative and label."""
