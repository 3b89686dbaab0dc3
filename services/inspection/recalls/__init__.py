"""Recalls that failed tests propose, and the tasks of an opened one."""
