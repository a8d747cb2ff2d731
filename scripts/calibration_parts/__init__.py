"""What scripts/speed.py measures, one file per question."""
