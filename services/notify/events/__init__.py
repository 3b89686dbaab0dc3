"""What people are told of, and in which words."""
