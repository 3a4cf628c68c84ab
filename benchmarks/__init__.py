"""What this implementation costs beside a plain one: `python -m benchmarks`."""
