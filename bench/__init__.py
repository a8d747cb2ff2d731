"""A benchmark of what tames exploding gradients: which mitigation works, where, why, and at what cost."""

__version__ = "0.1.0"
