"""What other settings would give a published run, from its stored scores."""
