"""Files and folders of data: what each is, which belong together, which are kept out."""
