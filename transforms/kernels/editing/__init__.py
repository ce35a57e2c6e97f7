"""Edits of a text: some make its label false by construction, others leave what it says."""
