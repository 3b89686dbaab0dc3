"""The grid (网格): cells, officers, phases."""
