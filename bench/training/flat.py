"""All parameters of a network as one vector, and all gradients as another."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.kernels.norms import norm


class FlatParameters:
    """Two vectors [N] of which every parameter and its `.grad` are views.

    A norm, a test for NaN or an optimiser's update is then one operation whatever the number of
    layers, while the network stays an ordinary nn.Module.
    """

    def __init__(self, network: nn.Module) -> None:
        self._named = [(name, p) for name, p in network.named_parameters() if p.requires_grad]
        parameters = [parameter for _, parameter in self._named]
        self.values = torch.cat([parameter.detach().flatten() for parameter in parameters])
        self.gradients = torch.zeros_like(self.values)
        self._views: list[Tensor] = []
        start = 0
        for parameter in parameters:
            end = start + parameter.numel()
            parameter.data = self.values[start:end].view_as(parameter)
            parameter.grad = self.gradients[start:end].view_as(parameter)
            self._views.append(parameter.grad)
            start = end

    @property
    def scale(self) -> float:
        """The norm of the smallest parameter, by itself, that is not zero; 0 if all are.

        Biases that start at zero have no scale of their own.
        """
        norms = [norm(tensor) for tensor in self.by_name(self.values).values()]
        return min((size for size in norms if size > 0), default=0.0)

    def collect_gradients(self) -> None:
        """Bring back what a mitigation put into `.grad` in place of the view."""
        for (_, parameter), view in zip(self._named, self._views, strict=True):
            if parameter.grad is not view:
                if parameter.grad is None:
                    view.zero_()
                else:
                    view.copy_(parameter.grad)
                parameter.grad = view

    def by_name(self, vector: Tensor) -> dict[str, Tensor]:
        """A vector [N], such as earlier values, as name -> view shaped like the parameter."""
        pieces = torch.split(vector, [parameter.numel() for _, parameter in self._named])
        return {
            name: piece.view_as(parameter)
            for (name, parameter), piece in zip(self._named, pieces, strict=True)
        }
