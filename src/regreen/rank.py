"""Choose one program out of many without the scoring checks, and say how well that goes."""
