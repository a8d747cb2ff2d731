"""The kernels in PyTorch, argument for argument: what C computes, in words that a reader knows.

They are the reference that the C is held to, and what runs without a C compiler: correct, but with
bits that depend on the processor, and slower. Arrays that C only writes to are written in place.
"""

from bench.kernels.twins.elementwise import elementwise, elementwise_backward
from bench.kernels.twins.gru import gru_backward, gru_forward
from bench.kernels.twins.layers import linear, linear_backward, stack_backward, stack_forward
from bench.kernels.twins.losses import (
    mean_squared_error,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from bench.kernels.twins.lstm import lstm_backward, lstm_forward
from bench.kernels.twins.normalise import layer_norm, layer_norm_backward
from bench.kernels.twins.reductions import all_finite, norm, sum_of_squares
from bench.kernels.twins.rnn import rnn_backward, rnn_forward
from bench.kernels.twins.updates import adam, momentum, rmsprop, sgd

__all__ = [
    "adam",
    "all_finite",
    "elementwise",
    "elementwise_backward",
    "gru_backward",
    "gru_forward",
    "layer_norm",
    "layer_norm_backward",
    "linear",
    "linear_backward",
    "lstm_backward",
    "lstm_forward",
    "mean_squared_error",
    "momentum",
    "norm",
    "rmsprop",
    "rnn_backward",
    "rnn_forward",
    "sgd",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "stack_backward",
    "stack_forward",
    "sum_of_squares",
]
