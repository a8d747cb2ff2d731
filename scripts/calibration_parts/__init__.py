"""What scripts/calibration.py measures, one file per question."""
