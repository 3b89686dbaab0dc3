"""Risk grades, credit files, marks of how a site records."""
