"""Layer normalisation against torch's own, and what it makes invariant."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from tests.mitigations.workbench import make

GATES = {"rnn_tanh": [""], "rnn_relu": [""], "lstm": ["i", "f", "g", "o"], "gru": ["r", "z", "n"]}


@pytest.mark.parametrize("architecture", GATES)
def test_every_gate_has_a_normalisation_that_is_torchs(architecture: str) -> None:
    eps = 1e-3
    sites = make(architecture, layer_norm={"eps": eps}).network.sites
    assert list(sites) == [f"preactivation_0_{gate}" for gate in GATES[architecture]]
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(7, 6, generator=generator, dtype=torch.float64) * 10 + 5
    for site in sites.values():
        site.double()
        assert torch.equal(site.gain, torch.ones(6, dtype=torch.float64))
        assert not site.bias.any()
        nn.init.normal_(site.gain, generator=generator)
        nn.init.normal_(site.bias, generator=generator)
        expected = nn.functional.layer_norm(values, (6,), site.gain, site.bias, eps)
        torch.testing.assert_close(site(values), expected)


@pytest.mark.parametrize("architecture", [*GATES, "mlp"])
def test_rescaling_all_weights_of_a_layer_changes_nothing(
    architecture: str, sequence: Tensor
) -> None:
    """Save through eps; the GRU's candidate bias, zero at first, scales along."""
    inputs = (sequence[0] if architecture == "mlp" else sequence).double()
    bench = make(architecture, layer_norm={"eps": 1e-12})
    bench.network.double()
    before = bench.network(inputs)
    with torch.no_grad():
        for weight, _ in bench.network.with_role("input", "recurrent", "hidden"):
            weight *= 1000.0
    torch.testing.assert_close(bench.network(inputs), before, rtol=1e-7, atol=1e-9)
    assert before.abs().max() > 1e-3


def test_the_pre_activations_have_mean_zero_and_variance_one(sequence: Tensor) -> None:
    seen: list[Tensor] = []
    bench = make("lstm", layer_norm={"eps": 1e-10})
    for site in bench.network.sites.values():
        site.register_forward_hook(lambda module, args, output: seen.append(output.detach()))
    bench.network.double()(sequence.double())
    assert len(seen) == 4 * len(sequence)
    values = torch.stack(seen)
    torch.testing.assert_close(values.mean(dim=-1), torch.zeros_like(values[..., 0]))
    ones = torch.ones_like(values[..., 0])
    torch.testing.assert_close(values.var(dim=-1, correction=0), ones, rtol=1e-4, atol=1e-4)


def test_gain_and_bias_are_learnt(sequence: Tensor) -> None:
    bench = make("rnn_tanh", layer_norm={"eps": 1e-5})
    before = bench.parameters
    bench.train(sequence, steps=3)
    for name in ("sites.preactivation_0_.gain", "sites.preactivation_0_.bias"):
        assert not torch.equal(bench.parameters[name], before[name])
