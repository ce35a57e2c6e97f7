"""What `import negmine` gives: mining, runs and audits as Python objects."""
