"""What each part of the method is worth: `python -m experiments.claims`, told in docs/claims.md."""
