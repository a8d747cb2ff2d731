"""Normalisation over units and over the batch. It has no neutral setting: it always acts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bench import discovery
from bench.kernels.tap import Watch
from bench.network import Network
from bench.records import BadInput, MemberSpec, Signature
from tests.mitigations.workbench import SEED, Workbench, make

BATCH = {"gain": 1.0, "eps": 1e-5, "momentum": 0.25}
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
SETTINGS = {"rms_norm": {"eps": 1e-12}, "batch_norm": BATCH | {"eps": 1e-12}}


def site_of(network: Network) -> Any:
    return next(iter(network.sites.values()))


def one_site(name: str, width: int, **settings: float) -> Any:
    """What `name` puts at a site, in float64."""
    network = Network()
    network.site_widths = {"preactivation_0_": width}
    rule = discovery.build("mitigation", MemberSpec(name, settings))
    rule.prepare(network, SEED, torch.zeros(8, 1))
    return site_of(network.double())


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_rms_norm_is_its_equation_and_so_are_its_gradients() -> None:
    site, values, weights = one_site("rms_norm", 5, eps=1e-3), numbers(8, 5), numbers(8, 5, seed=1)
    with torch.no_grad():
        site.gain.copy_(numbers(5, seed=2))
        site.bias.copy_(numbers(5, seed=3))
    mine = [values.clone().requires_grad_(), site.gain, site.bias]
    found = site(mine[0])
    theirs = [tensor.detach().clone().requires_grad_() for tensor in mine]
    root = torch.sqrt((theirs[0] ** 2).mean(dim=1, keepdim=True) + 1e-3)
    expected = theirs[1] * theirs[0] / root + theirs[2]
    torch.testing.assert_close(found, expected)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    for one, other in zip(mine, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_batch_norm_is_torchs_in_training_and_afterwards() -> None:
    site, torchs = one_site("batch_norm", 5, **BATCH), nn.BatchNorm1d(5, momentum=0.25).double()
    for seed in range(4):
        site.begin()
        mine, theirs = (numbers(8, 5, seed=seed).requires_grad_() for _ in range(2))
        if seed == 0:  # torch's averages start at 0 and 1, these at those of the first batch
            torchs.running_mean.copy_(mine.detach().mean(dim=0))
            torchs.running_var.copy_(mine.detach().var(dim=0))
        weights = numbers(8, 5, seed=10)
        found, expected = site(mine), torchs(theirs)
        torch.testing.assert_close(found, expected)
        (found * weights).sum().backward()
        (expected * weights).sum().backward()
        torch.testing.assert_close(mine.grad, theirs.grad)
    torch.testing.assert_close(site.gain.grad, torchs.weight.grad)
    torch.testing.assert_close(site.bias.grad, torchs.bias.grad)
    site.eval()
    torchs.eval()
    site.begin()
    torch.testing.assert_close(site(numbers(3, 5)), torchs(numbers(3, 5)))


def test_each_time_step_has_statistics_of_its_own_and_the_last_serve_beyond() -> None:
    site = one_site("batch_norm", 2, **BATCH)
    steps = [10.0 * (time + 1) + numbers(8, 2, seed=time) for time in range(3)]
    for step in steps:
        site(step)
    assert site.means.shape == site.variances.shape == (3, 2)
    site.eval()
    site.begin()
    for time, step in enumerate([*steps, steps[2], steps[2]]):
        known = steps[min(time, 2)]
        expected = (step - known.mean(dim=0)) / torch.sqrt(known.var(dim=0) + 1e-5)
        torch.testing.assert_close(site(step), expected)
    assert len(site.means) == 3  # evaluation learns nothing


def test_the_averages_move_by_the_momentum_from_pass_to_pass() -> None:
    site = one_site("batch_norm", 2, **BATCH)
    for seed in range(2):
        site.begin()
        site(numbers(8, 2, seed=seed))
    first, second = (numbers(8, 2, seed=seed).mean(dim=0) for seed in range(2))
    torch.testing.assert_close(site.means[0], first + 0.25 * (second - first))


@pytest.mark.parametrize("architecture", ["rnn_tanh", "mlp"])
def test_a_run_evaluates_before_during_and_after_training(
    architecture: str, sequence: Tensor
) -> None:
    made = make(architecture, batch_norm=BATCH)
    inputs = sequence[0] if architecture == "mlp" else sequence
    made.network.eval()
    assert made.network(inputs).isfinite().all()  # by the batch's own statistics
    made.train(inputs, steps=5)
    made.network.eval()
    longer = inputs if architecture == "mlp" else torch.cat([inputs, inputs])
    whole, alone = made.network(longer), made.network(longer[..., :1, :])
    torch.testing.assert_close(whole[..., :1, :], alone)  # no example knows of the others
    assert site_of(made.network).means.shape[0] == (1 if architecture == "mlp" else 9)


def test_a_batch_of_one_is_refused() -> None:
    network = make("rnn_tanh").network
    rule = discovery.build("mitigation", MemberSpec("batch_norm", BATCH))
    with pytest.raises(BadInput, match="raise batch_size"):
        rule.prepare(network, SEED, torch.zeros(9, 1, 2))


@pytest.mark.parametrize("architecture", [*GATES, "mlp"])
@pytest.mark.parametrize("name", SETTINGS)
def test_rescaling_all_weights_of_a_layer_changes_nothing(
    name: str, architecture: str, sequence: Tensor
) -> None:
    """Save through eps."""
    inputs = (sequence[0] if architecture == "mlp" else sequence).double()
    made = make(architecture, **{name: SETTINGS[name]})
    made.network.double()
    before = made.network(inputs)
    with torch.no_grad():
        for weight, _ in made.network.with_role("input", "recurrent", "hidden"):
            weight *= 1000.0
    torch.testing.assert_close(made.network(inputs), before, rtol=1e-6, atol=1e-8)
    assert before.abs().max() > 1e-3


@pytest.mark.parametrize("architecture", GATES)
@pytest.mark.parametrize("name", SETTINGS)
def test_every_gate_and_time_step_is_normalised(
    name: str, architecture: str, sequence: Tensor
) -> None:
    seen: list[Tensor] = []
    made = make(architecture, **{name: SETTINGS[name]})
    for site in made.network.sites.values():
        site.register_forward_hook(lambda module, args, output: seen.append(output.detach()))
    made.network.double()(sequence.double())
    assert len(seen) == GATES[architecture] * len(sequence)
    mean_square = torch.stack(seen).square().mean(dim=2 if name == "rms_norm" else 1)
    # A unit that is the same in the whole batch, as ReLU's may be, has nothing to normalise.
    if architecture != "rnn_relu":
        torch.testing.assert_close(mean_square, torch.ones_like(mean_square), rtol=1e-4, atol=1e-4)


def test_batch_normalised_relu_networks_explode_at_yangs_rate() -> None:
    """Yang et al. 2019: squared gradients grow by pi / (pi - 1) = 1.467 per layer, for a wide
    network and a large batch; at 128 examples the rate is within 2 percent, over width 256."""
    rates = []
    for seed in range(2):
        settings = {"depth": 20, "hidden_size": 256, "activation": "relu", "kind": "gaussian"}
        spec = MemberSpec("mlp", settings | {"gain": 1.0})
        network = discovery.build("architecture", spec).build(
            Signature(input_size=256, output_size=1)
        )
        network.initialise(seed)
        rule = discovery.build("mitigation", MemberSpec("batch_norm", BATCH))
        inputs = numbers(128, 256, seed=seed).float()
        rule.prepare(network, seed, inputs)
        network.watch = Watch.NORMS
        (network(inputs) * numbers(128, 1, seed=99).float()).sum().backward()
        squares = network.trace[0].derivative_norms().numpy() ** 2
        rates.append(np.log(squares[4:-2] / squares[5:-1]).mean())
    assert math.exp(np.mean(rates)) == pytest.approx(math.pi / (math.pi - 1), rel=0.03)


class FirstStateNoise(nn.Module):
    """What the recurrent product sees before the first time step: N(0, 0.1^2) in place of zero."""

    def begin(self) -> None:
        self.is_first = True

    def forward(self, hidden: Tensor) -> Tensor:
        noise = 0.1 * numbers(*hidden.shape, seed=5) if self.is_first else 0.0
        self.is_first = False
        return hidden + noise


@pytest.mark.parametrize("with_noise", [False, True])
def test_a_constant_prefix_explodes_unless_there_is_noise(with_noise: bool) -> None:
    """Cooijmans et al. 2017, section 5.1: states that are the same in the whole batch have no
    variance, and each such step multiplies gradients by gain / sqrt(eps), here 0.1 / 0.003."""
    first_norms = []
    for prefix in (0, 10):
        settings = {"hidden_size": 50, "num_layers": 1, "kind": "orthogonal", "gain": 1.0}
        network = discovery.build("architecture", MemberSpec("lstm", settings)).build(
            Signature(input_size=1, output_size=2)
        )
        network.initialise(SEED)
        made = Workbench(
            network,
            [discovery.build("mitigation", MemberSpec("batch_norm", BATCH | {"gain": 0.1}))],
        )
        made.network.double().watch = Watch.NORMS
        if with_noise:
            made.network.insert("feedback", lambda _: FirstStateNoise())
        inputs = torch.cat([torch.zeros(prefix, 40, 1).double(), numbers(15, 40, 1)])
        outputs = made.network(inputs)
        (outputs * numbers(*outputs.shape, seed=3)).sum().backward()
        assert outputs.isfinite().all()  # going forward nothing shows
        first_norms.append(float(made.network.trace[0].derivative_norms()[0]))
    ratio = first_norms[1] / first_norms[0]
    assert 1e-2 < ratio < 1e2 if with_noise else ratio > 1e6


@pytest.mark.parametrize("name", SETTINGS)
def test_gain_and_bias_are_learnt(name: str, sequence: Tensor) -> None:
    made = make("rnn_tanh", **{name: SETTINGS[name]})
    before = made.parameters
    made.train(sequence, steps=3)
    for key in ("sites.preactivation_0_.gain", "sites.preactivation_0_.bias"):
        assert not torch.equal(made.parameters[key], before[key])
