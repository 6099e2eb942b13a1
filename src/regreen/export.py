"""A run or a checkpoint, for other tools."""
