"""How training starts: `python -m experiments.start`, told in docs/training_start.md."""
