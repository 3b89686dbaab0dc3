"""Tasks through the closed loop: inspect, rectify, re-check."""
