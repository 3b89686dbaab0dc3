"""What walks have in common: paths, common sources, cross-contamination, dishes."""
