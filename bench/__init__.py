"""A benchmark of mitigations for exploding gradients: which works, where, why, at what cost."""

__version__ = "0.1.0"
