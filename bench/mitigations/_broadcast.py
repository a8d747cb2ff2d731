"""Few numbers stretched over many by a product, so that gradients add up in a fixed order.

torch's own broadcasting ends, in the backward pass, in torch.sum: other bits on other processors.
"""

from __future__ import annotations

from torch import Tensor

from bench.kernels.layers import linear


def along_rows(numbers: Tensor, like: Tensor) -> Tensor:
    """[rows, columns] as `like`, row r filled with numbers[r]."""
    return linear(numbers[:, None], like.new_ones(like.shape[1], 1))


def along_columns(numbers: Tensor, like: Tensor) -> Tensor:
    """[rows, columns] as `like`, every row of which is `numbers` [columns]."""
    return linear(like.new_ones(like.shape[0], 1), numbers[:, None])


def everywhere(number: Tensor, like: Tensor) -> Tensor:
    """Shaped as `like`, filled with the one element of `number`."""
    return linear(number.reshape(1, 1), like.new_ones(like.numel(), 1)).view_as(like)
