"""What can be said: pure functions on arrays, and a reason in words where nothing can be."""
