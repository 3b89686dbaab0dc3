"""The life of a delivery: planned, sent, settled, tried again."""
