"""What passes by a layer: residual, rezero and fixup. None has a neutral setting: there is none.

The nearest is rezero on a residual network with every weight at one, and fixup with its matrices
as they were: both are `none` to the bit, which is tested here in place of a neutral setting.
"""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bench import discovery
from bench.kernels.tap import Watch
from bench.mitigations import Mitigation
from bench.network import Network
from bench.planning import plan
from bench.records import BadInput, MemberSpec, Signature
from tests.mitigations.workbench import SEED, Workbench

DEEP = ["mlp", "residual_mlp"]
SETTINGS = {"depth": 4, "hidden_size": 6, "activation": "tanh", "kind": "gaussian", "gain": 1.3}


def rule(name: str) -> Mitigation:
    mitigation: Mitigation = discovery.build("mitigation", MemberSpec(name, {}))
    return mitigation


def bench(architecture: str, *mitigations: str, **other: Any) -> Workbench:
    spec = MemberSpec(architecture, SETTINGS | other)
    network: Network = discovery.build("architecture", spec).build(
        Signature(input_size=2, output_size=1)
    )
    network.initialise(SEED)
    return Workbench(network, [rule(name) for name in mitigations])


def inputs() -> Tensor:
    return torch.randn(4, 2, generator=torch.Generator().manual_seed(0))


def states(network: Network) -> Tensor:
    (tap,) = network.trace
    assert tap.states is not None
    return tap.states


def flow(network: Network) -> Tensor:
    """|dL/dh_l|^2 of every layer, where L is the sum of the outputs."""
    network.watch = Watch.NORMS
    network(inputs().double()).sum().backward()
    return network.trace[0].derivative_norms() ** 2


def test_residual_adds_its_input_to_what_a_layer_hands_on() -> None:
    network = bench("mlp", "residual").network.double()
    network(inputs().double())
    found = states(network)
    for layer in range(1, 4):
        weight, bias = (network.get_parameter(f"{name}_{layer}") for name in ("weight", "bias"))
        expected = found[layer - 1] + torch.tanh(F.linear(found[layer - 1], weight, bias))
        torch.testing.assert_close(found[layer], expected)


@pytest.mark.parametrize("architecture", ["residual_mlp", "highway_mlp"])
def test_residual_is_refused_where_something_passes_by_already(architecture: str) -> None:
    with pytest.raises(BadInput, match=f"acts on the plain layers, which {architecture} does not"):
        plan(["task=digits", f"architecture={architecture}", "mitigation=residual"])


@pytest.mark.parametrize("names", ["residual+rezero", "rezero+fixup"])
def test_one_thing_stands_at_the_skip(names: str) -> None:
    with pytest.raises(BadInput, match="both set the skip"):
        plan(["task=digits", "architecture=residual_mlp", f"mitigation={names}"])


@pytest.mark.parametrize("other", ["weight_norm", "spectral_norm"])
def test_matrices_of_zeros_are_not_divided_by_their_size(other: str) -> None:
    with pytest.raises(BadInput, match="both set the parametrisation"):
        plan(["task=digits", "architecture=residual_mlp", f"mitigation=fixup+{other}"])


@pytest.mark.parametrize("architecture", DEEP)
def test_rezero_starts_as_the_identity_to_the_bit(architecture: str) -> None:
    network = bench(architecture, "rezero", depth=500).network.double()
    gradients = flow(network)
    found = states(network)
    assert torch.equal(found, found[:1].expand_as(found))
    assert found[0].any()
    assert gradients.tolist() == [float(gradients[0])] * 500
    assert float(gradients[0]) > 0.1


@pytest.mark.parametrize(
    ("architecture", "gain", "explodes"),
    [("mlp", 0.9, False), ("mlp", 3.0, True), ("residual_mlp", 3.0, True)],
)
def test_where_rezero_keeps_the_gradient_the_plain_network_loses_it(
    architecture: str, gain: float, explodes: bool
) -> None:
    gradients = flow(bench(architecture, depth=500, gain=gain, hidden_size=32).network.double())
    ratio = math.log10(float(gradients[0] / gradients[-1]))
    assert ratio > 20 if explodes else ratio < -20


@pytest.mark.parametrize("architecture", DEEP)
def test_rezero_weights_each_layer_by_its_number(architecture: str) -> None:
    made = bench(architecture, "rezero")
    network = made.network.double()
    seen: dict[str, tuple[Tensor, Tensor, Tensor]] = {}
    for index, (key, site) in enumerate(network.sites.items()):
        nn.init.constant_(site.weight, 0.5 + index)
        site.register_forward_hook(
            lambda _, args, output, key=key: seen.__setitem__(key, (*args, output))
        )
    network(inputs().double())
    assert len(seen) == 3
    for index, (result, before, output) in enumerate(seen.values()):
        torch.testing.assert_close(output, before + (0.5 + index) * result)
    network(inputs().double()).sum().backward()
    assert all(site.weight.grad.any() for site in network.sites.values())


def test_rezero_at_one_is_a_residual_network_to_the_bit() -> None:
    plain, changed = bench("residual_mlp"), bench("residual_mlp", "rezero")
    for site in changed.network.sites.values():
        nn.init.constant_(site.weight, 1.0)
    expected, found = plain.network(inputs()), changed.network(inputs())
    expected.sum().backward()
    found.sum().backward()
    assert torch.equal(expected, found)
    for name, parameter in plain.network.named_parameters():
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, changed.network.get_parameter(name).grad), name


def test_rezero_learns_the_weights_of_its_layers_from_the_second_update_on() -> None:
    made = bench("mlp", "rezero")
    before = made.parameters
    made.train(inputs(), steps=1)
    assert torch.equal(made.parameters["weight_2"], before["weight_2"])
    made.train(inputs(), steps=1)
    assert not torch.equal(made.parameters["weight_2"], before["weight_2"])


@pytest.mark.parametrize("depth", [3, 50])
def test_fixup_scales_the_first_matrix_of_a_branch_and_empties_the_last(depth: int) -> None:
    made, plain = bench("residual_mlp", "fixup", depth=depth), bench("residual_mlp", depth=depth)
    blocks = depth - 1
    for name, parameter in plain.network.named_parameters():
        found = made.network.get_parameter(name)
        if name.startswith("weight") and name != "weight_0":
            torch.testing.assert_close(found, parameter * blocks**-0.5)
        elif name.startswith("second_") or name == "readout":
            assert not found.any()
        else:
            assert torch.equal(found, parameter)
    scalars = [p for name, p in made.network.named_parameters() if name.startswith("sites")]
    assert len(scalars) == depth + 2 * blocks  # before each activation; two at each sum
    assert {float(p.detach()) for p in scalars} == {0.0, 1.0}
    assert not made.network(inputs()).any()


def test_fixup_at_depth_500_gives_every_layer_the_gradient_of_the_last() -> None:
    """Readout drawn afterwards; without it none but the readout has a gradient."""
    network = bench("residual_mlp", "fixup", depth=500, activation="relu").network.double()
    nn.init.constant_(network.get_parameter("readout"), 0.5)
    gradients = flow(network)
    assert gradients.tolist() == pytest.approx([4 * 6 * 0.25] * 500)
    second = [network.get_parameter(f"second_{layer}").grad for layer in (1, 250, 499)]
    assert all(0 < float(gradient.norm()) < 100 for gradient in second)
    plain = bench("residual_mlp", depth=500, activation="relu").network.double()
    assert flow(plain)[0] > 1e100


def test_fixup_computes_what_its_docstring_says() -> None:
    network = bench("residual_mlp", "fixup").network.double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator).double())
    network(inputs().double())
    found, values = states(network), dict(network.named_parameters())
    for layer in range(1, 4):
        before = F.linear(found[layer - 1], values[f"weight_{layer}"], values[f"bias_{layer}"])
        inner = torch.tanh(before + values[f"sites.preactivation_{layer}_.bias"])
        branch = F.linear(inner, values[f"second_{layer}"], values[f"second_bias_{layer}"])
        at_sum = f"sites.skip_{layer}_"
        branch = values[f"{at_sum}.multiplier"] * branch + values[f"{at_sum}.bias"]
        torch.testing.assert_close(found[layer], found[layer - 1] + branch)


def test_a_deep_fixup_network_learns_where_the_plain_one_explodes() -> None:
    losses = {}
    for names in ((), ("fixup",)):
        made = bench("residual_mlp", *names, depth=30, activation="relu", gain=math.sqrt(2))
        nn.init.constant_(made.network.get_parameter("readout_bias"), 1.0)
        made.train(inputs(), steps=20, lr=0.02)
        losses[names] = float(made.network(inputs()).detach().square().mean())
    assert losses["fixup",] < 0.5
    assert not losses[()] < 1e3
