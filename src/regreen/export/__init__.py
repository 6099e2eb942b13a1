"""Doors outward for files: a checkpoint for llama.cpp, a run for trainers and for data frames.

export_rows(Path("runs/first"), "preference", Path("pairs.jsonl"))
frame(Path("runs/first")).groupby("problem").passed.mean()
"""

from regreen.export.frame import export_parquet, frame
from regreen.export.gguf import export_gguf
from regreen.export.rows import FORMS, export_rows

__all__ = ["FORMS", "export_gguf", "export_parquet", "export_rows", "frame"]
