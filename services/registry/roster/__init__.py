"""Rosters: files of sites, row by row."""
