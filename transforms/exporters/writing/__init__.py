"""What exports are made of on disk: columns, files, folders."""
