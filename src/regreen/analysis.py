"""Why programs fail, and what their text says of it: BLEU against correctness, scaling fits."""
