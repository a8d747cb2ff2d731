"""The arithmetic of a run: functions for autograd, their derivatives by hand, in C and in PyTorch.

A function checks what it is given and calls a kernel by `engine.call`: of `source/`, compiled for
the processor, or its twin of `twins/`, which says the same in PyTorch.

Legend of shapes: T time steps, B batch, H hidden units, I inputs, O outputs, C classes.
A backward written by hand refuses to be differentiated twice rather than lose a term.
"""
