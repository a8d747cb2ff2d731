"""The arithmetic of a run. Each function stands here in PyTorch with its derivative by hand.

Legend of shapes: T time steps, B batch, H hidden units, I inputs, O outputs, C classes.
A backward written by hand refuses to be differentiated twice rather than lose a term.
"""
