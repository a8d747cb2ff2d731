"""One run: a RunSpec in, a RunRecord out, a pure function."""
