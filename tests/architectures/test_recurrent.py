"""The recurrent networks: two paths through a sequence that must agree, and their parts."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bench import discovery
from bench.kernels.levels import level
from bench.kernels.tap import Nonfinite, Watch
from bench.network import Network
from bench.records import MemberSpec, Signature

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3}
SAME = {"weight_ih": "input", "weight_hh": "recurrent", "bias_ih": "bias"}
each_architecture = pytest.mark.parametrize("name", GATES)


def build(name: str, *, inputs: int = 3, outputs: int = 2, steps: int = 1, **other: Any) -> Network:
    settings = {"hidden_size": 5, "num_layers": 1, "kind": "orthogonal", "gain": 1.2} | other
    architecture = discovery.build("architecture", MemberSpec(name, settings))
    signature = Signature(input_size=inputs, output_size=outputs, output_steps=steps)
    network: Network = architecture.build(signature)
    network.initialise(seed=0)
    return network


def disturb(network: Network) -> None:
    """Biases start at zero; give them other values, so that a misplaced one is seen."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter, _ in network.with_role("bias"):
            parameter.copy_(0.3 * torch.randn(parameter.shape, generator=generator))


def all_derivatives(network: Network, inputs: Tensor) -> dict[str, Tensor]:
    """Outputs, gradients of the parameters, and dL/dh of every layer, for an arbitrary loss."""
    network.watch = Watch.GRADIENTS
    outputs = network(inputs)
    generator = torch.Generator().manual_seed(1)
    cotangent = torch.randn(outputs.shape, generator=generator, dtype=outputs.dtype)
    outputs.backward(cotangent)
    found = {"outputs": outputs}
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        found[name] = parameter.grad
    for layer, tap in enumerate(network.trace):
        assert tap.states is not None
        found[f"states of {layer}"] = tap.states
        found[f"dL/dh of {layer}"] = tap.total_derivative()
        found[f"|dL/dh| of {layer}"] = tap.derivative_norms()
    return found


def torchs_layers(name: str, num_layers: int) -> nn.RNNBase:
    """torch's own layers of 3 inputs and 5 units."""
    if name.startswith("rnn_"):
        return nn.RNN(3, 5, num_layers, nonlinearity=name.removeprefix("rnn_")).double()
    kind = {"lstm": nn.LSTM, "gru": nn.GRU}[name]
    return kind(3, 5, num_layers).double()


@torch.no_grad()
def copy_into(target: Tensor, source: Tensor) -> None:
    target.copy_(source)


@each_architecture
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("time", [1, 9])
@pytest.mark.parametrize("site", ["preactivation", "state"])
def test_the_step_path_is_the_whole_sequence_path(
    name: str, num_layers: int, time: int, site: Any
) -> None:
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(time, 4, 3, generator=generator, dtype=torch.float64)
    whole, stepwise = (build(name, num_layers=num_layers, steps=4).double() for _ in range(2))
    stepwise.insert(site, lambda width: nn.Identity())
    found = []
    for network in (whole, stepwise):
        disturb(network)
        found.append(all_derivatives(network, inputs))
    assert found[0].keys() == found[1].keys()
    assert found[0]["outputs"].shape == (min(4, time), 4, 2)
    for key, tensor in found[0].items():
        torch.testing.assert_close(found[1][key], tensor, rtol=1e-10, atol=1e-12, msg=key)


@each_architecture
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("output_steps", [1, 3, 7])
def test_it_is_torchs_network_with_a_readout_of_the_last_steps(
    name: str, num_layers: int, output_steps: int
) -> None:
    network = build(name, num_layers=num_layers, steps=output_steps).double()
    disturb(network)
    layers = torchs_layers(name, num_layers)
    for layer in range(num_layers):
        for ours, theirs in (
            ("input", "weight_ih"),
            ("recurrent", "weight_hh"),
            ("bias", "bias_ih"),
        ):
            copy_into(getattr(layers, f"{theirs}_l{layer}"), network.tensor(f"{ours}_{layer}"))
        torch.nn.init.zeros_(getattr(layers, f"bias_hh_l{layer}"))
        if name == "gru":
            candidate = getattr(layers, f"bias_hh_l{layer}")[10:]
            copy_into(candidate, network.tensor(f"candidate_bias_{layer}"))
    inputs = torch.randn(7, 4, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    states = layers(inputs)[0][7 - output_steps :]
    expected = states @ network.tensor("readout").T + network.tensor("readout_bias")
    torch.testing.assert_close(network(inputs), expected)


@each_architecture
@pytest.mark.parametrize("num_layers", [1, 2])
def test_the_number_of_parameters(name: str, num_layers: int) -> None:
    inputs, hidden, outputs, gates = 7, 6, 4, GATES[name]
    network = build(name, inputs=inputs, outputs=outputs, num_layers=num_layers, hidden_size=hidden)
    layers = sum(
        gates * hidden * (width + hidden + 1) for width in [inputs, *[hidden] * (num_layers - 1)]
    )
    candidates = num_layers * hidden if name == "gru" else 0
    readout = outputs * (hidden + 1)
    assert sum(p.numel() for p in network.parameters()) == layers + candidates + readout


@each_architecture
def test_every_gate_has_the_singular_values_of_its_kind(name: str) -> None:
    network = build(name, gain=1.5)
    for weight, role in network.with_role("recurrent"):
        blocks = weight.chunk(len(role.gates))
        assert len(blocks) == GATES[name]
        for block in blocks:
            values = torch.linalg.svdvals(block.double())
            assert values.tolist() == pytest.approx([1.5] * 5, abs=1e-5)
        assert all(not torch.equal(blocks[0], other) for other in blocks[1:])
    for bias, _ in network.with_role("bias"):
        assert not bias.any()


def test_two_architectures_share_what_they_both_have() -> None:
    """A comparison of tanh with ReLU is a comparison of nothing but the activation."""
    tanh, relu = (dict(build(name).named_parameters()) for name in ("rnn_tanh", "rnn_relu"))
    assert tanh.keys() == relu.keys()
    for name, parameter in tanh.items():
        assert torch.equal(parameter, relu[name])
    for gated in ("lstm", "gru"):
        assert torch.equal(build(gated).get_parameter("readout"), tanh["readout"])


@each_architecture
def test_another_seed_is_another_network(name: str) -> None:
    one, other = build(name), build(name)
    other.initialise(seed=1)
    assert not torch.equal(one.get_parameter("recurrent_0"), other.get_parameter("recurrent_0"))
    assert not torch.equal(one.get_parameter("input_0"), other.get_parameter("input_0"))


@each_architecture
def test_an_output_does_not_depend_on_what_comes_after_it(name: str) -> None:
    network = build(name, steps=6, num_layers=2)
    inputs = torch.ones(6, 2, 3)
    changed = inputs.clone()
    changed[4:] = -1
    assert torch.equal(network(inputs)[:4], network(changed)[:4])
    assert not torch.equal(network(inputs)[4:], network(changed)[4:])


@each_architecture
def test_each_sequence_of_a_batch_is_by_itself(name: str) -> None:
    network = build(name, steps=5).double()
    inputs = torch.randn(5, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    together = network(inputs)
    alone = [network(inputs[:, i : i + 1]) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone, dim=1))


@each_architecture
def test_without_watching_nothing_is_kept(name: str) -> None:
    network = build(name)
    network(torch.ones(4, 2, 3)).sum().backward()
    with pytest.raises(RuntimeError, match="watch"):
        network.trace[0].total_derivative()


@each_architecture
@pytest.mark.parametrize("num_layers", [1, 3])
def test_segments_change_no_number(name: str, num_layers: int) -> None:
    """A layer keeps its states every so many steps alone; the layers above and below do too."""
    generator = torch.Generator().manual_seed(2)
    inputs = torch.randn(9, 4, 3, generator=generator)
    found = []
    for segment in (None, 1, 4, 9, 20):
        network = build(name, num_layers=num_layers, steps=2)
        disturb(network)
        network.segment = segment
        network.watch = Watch.GRADIENTS
        outputs = network(inputs)
        outputs.square().sum().backward()
        tensors = [outputs, *(parameter.grad for parameter in network.parameters())]
        taps = [(tap.total_derivative(), tap.derivative_norms()) for tap in network.trace]
        assert all((tap.states is None) == (segment in {1, 4}) for tap in network.trace)
        found.append([*tensors, *(tensor for pair in taps for tensor in pair)])
    for other in found[1:]:
        for mine, whole in zip(other, found[0], strict=True):
            if level() == "torch":
                torch.testing.assert_close(mine, whole)
            else:
                assert torch.equal(mine, whole)


@each_architecture
@pytest.mark.parametrize("with_site", [False, True])
def test_the_first_layer_and_step_that_are_not_finite_are_found(name: str, with_site: bool) -> None:
    network = build(name, num_layers=2)
    if with_site:
        network.insert("state", lambda width: nn.Identity())
    inputs = torch.ones(6, 2, 3)
    inputs[3, 1] = float("nan")
    network(inputs)
    assert [tap.nonfinite for tap in network.trace] == [Nonfinite(3, is_nan=True)] * 2
    with torch.no_grad():
        network.get_parameter("bias_1")[0] = float("nan")
    network(torch.ones(6, 2, 3))
    assert [tap.nonfinite for tap in network.trace] == [None, Nonfinite(0, is_nan=True)]


@each_architecture
def test_an_evaluation_keeps_no_states(name: str) -> None:
    network, inputs = build(name, num_layers=2, steps=3), torch.ones(6, 2, 3)
    recorded = network(inputs)
    with torch.no_grad():
        assert torch.equal(network(inputs), recorded)
    assert [tap.states for tap in network.trace] == [None, None]
