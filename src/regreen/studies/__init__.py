"""Studies of the Codex and Austin papers, one file each: recorded runs in, plain JSON out."""
