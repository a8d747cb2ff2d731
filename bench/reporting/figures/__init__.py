"""Drawing alone: numbers and an `ax` in, the `ax` out. What the numbers mean is decided above."""
