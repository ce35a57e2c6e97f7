"""What somebody's data is: looked at, told to people, and written as a config."""
