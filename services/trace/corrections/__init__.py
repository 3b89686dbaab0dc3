"""Error declarations: what sources say was wrong in what they recorded; the original stays."""
