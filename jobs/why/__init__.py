"""Why a candidate is a negative, or is none: found by its text, told with every test."""
