"""Gradient centralisation does what its formula says."""

from __future__ import annotations

import torch

from bench.acceptance.card import examine, in_words
from bench.acceptance.small import spec
from bench.acceptance.trial import Trial

NAME = "gradient_centralisation"


def test_it_passes_the_battery() -> None:
    findings = list(examine("mitigation", NAME, costs_too=False))
    assert not [in_words(finding) for finding in findings if finding.holds is False]


def test_every_row_of_a_gradient_has_mean_zero_afterwards() -> None:
    trial = Trial(spec("adding", "lstm", NAME))
    trial.train(1)
    for parameter in trial.network.parameters():
        parameter.grad.copy_(
            torch.rand(parameter.shape, generator=torch.Generator().manual_seed(0))
        )
    before = {name: p.grad.clone() for name, p in trial.network.named_parameters()}
    trial.transform()
    for name, parameter in trial.network.named_parameters():
        if trial.network.roles[name].name == "bias":
            assert torch.equal(parameter.grad, before[name])
        else:
            expected = before[name] - before[name].mean(dim=1, keepdim=True)
            torch.testing.assert_close(parameter.grad, expected)
