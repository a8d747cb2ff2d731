"""forget_bias and chrono: how long the gates keep a state at first."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from bench import discovery
from bench.network import Network
from bench.records import MemberSpec, Signature
from tests.mitigations.workbench import make

FALSE_ALARM = 1e-4
KEEPING = {"lstm": "f", "gru": "z"}


def prepared(architecture: str, name: str, hidden_size: int = 6, **settings: Any) -> Network:
    chosen = {"hidden_size": hidden_size, "num_layers": 2, "kind": "gaussian", "gain": 1.0}
    member = discovery.build("architecture", MemberSpec(architecture, chosen))
    network: Network = member.build(Signature(input_size=2, output_size=1))
    network.initialise(0)
    rule = discovery.build("mitigation", MemberSpec(name, settings))
    rule.prepare(network, 0, torch.zeros(80, 4, 2))
    return network


def bias_of(network: Network, layer: int, gate: str) -> Tensor:
    parameter, gates = network.get_parameter(f"bias_{layer}"), network.roles["bias_0"].gates
    return parameter.detach().chunk(len(gates))[gates.index(gate)]


@pytest.mark.parametrize("architecture", KEEPING)
@pytest.mark.parametrize("value", [-1.0, 1.0, 5.0])
def test_where_nothing_comes_in_the_gate_stands_at_the_sigmoid_of_the_bias(
    architecture: str, value: float
) -> None:
    network = prepared(architecture, "forget_bias", value=value)
    seen: list[Tensor] = []
    network.insert("preactivation", lambda width: torch.nn.Identity())
    site = network.sites[f"preactivation_0_{KEEPING[architecture]}"]
    site.register_forward_hook(lambda module, args, output: seen.append(output.sigmoid()))
    network(torch.zeros(1, 3, 2))
    expected = 1 / (1 + math.exp(-value))
    torch.testing.assert_close(seen[0], torch.full((3, 6), expected))
    for layer in (0, 1):
        for gate in network.roles["bias_0"].gates:
            wanted = value if gate == KEEPING[architecture] else 0.0
            assert torch.equal(bias_of(network, layer, gate), torch.full((6,), wanted))


@pytest.mark.parametrize("architecture", KEEPING)
def test_a_state_fades_by_the_gate_at_every_step(architecture: str) -> None:
    """dL/dh of the carry path alone: the recurrent weights are zero."""
    network = prepared(architecture, "forget_bias", value=2.0).double()
    with torch.no_grad():
        for weight, _ in network.with_role("recurrent", "input"):
            weight.zero_()
        # Something to keep, from the first step on: the candidate's bias.
        candidate = "g" if architecture == "lstm" else "n"
        bias_of(network, 0, candidate).fill_(0.5)
    network.states_are_read = True
    network(torch.zeros(40, 1, 2).double())
    states = network.trace[0].states
    assert states is not None
    # Both fill up as 1 - kept^t: c of the LSTM and h of the GRU.
    level = torch.atanh(2 * states[:, 0, 0]) if architecture == "lstm" else states[:, 0, 0]
    kept = 1 / (1 + math.exp(-2.0))
    steps = torch.arange(1, 41).double()
    torch.testing.assert_close(level / level[-1], (1 - kept**steps) / (1 - kept**40))


@pytest.mark.parametrize("architecture", KEEPING)
@pytest.mark.parametrize("longest", [2, 50, 1000])
def test_chrono_draws_time_scales_evenly_up_to_the_longest(architecture: str, longest: int) -> None:
    network = prepared(architecture, "chrono", hidden_size=300, longest=longest)
    for layer in (0, 1):
        keeping = bias_of(network, layer, KEEPING[architecture]).double().numpy()
        assert keeping.min() >= 0
        assert keeping.max() <= math.log(longest - 1) + 2**-20
        if longest > 2:
            times = np.exp(keeping)
            assert stats.kstest(times, "uniform", (1, longest - 2)).pvalue > FALSE_ALARM / 8
        others = set(network.roles["bias_0"].gates) - {KEEPING[architecture], "i"}
        for gate in others:
            assert not bias_of(network, layer, gate).any()
        if architecture == "lstm":
            assert np.array_equal(bias_of(network, layer, "i").double().numpy(), -keeping)


def test_the_layers_of_chrono_draw_apart_and_a_seed_repeats() -> None:
    once, again = (prepared("lstm", "chrono", longest=100) for _ in range(2))
    assert torch.equal(bias_of(once, 0, "f"), bias_of(again, 0, "f"))
    assert not torch.equal(bias_of(once, 0, "f"), bias_of(once, 1, "f"))


def test_without_a_longest_time_chrono_takes_the_length_of_the_sequences() -> None:
    by_length, by_hand = (prepared("gru", "chrono", longest=longest) for longest in (0, 80))
    other = prepared("gru", "chrono", longest=81)
    assert torch.equal(bias_of(by_length, 0, "z"), bias_of(by_hand, 0, "z"))
    assert not torch.equal(bias_of(other, 0, "z"), bias_of(by_hand, 0, "z"))


@pytest.mark.parametrize("architecture", KEEPING)
def test_a_forget_bias_of_zero_and_time_scales_of_one_leave_training_alone(
    architecture: str, sequence: Tensor
) -> None:
    finals = []
    for chosen in ({}, {"forget_bias": {"value": 0.0}}, {"chrono": {"longest": 2}}):
        bench = make(architecture, **chosen)
        bench.train(sequence, steps=10)
        finals.append(bench.parameters)
    assert any(
        not torch.equal(finals[0][key], make(architecture).parameters[key]) for key in finals[0]
    )
    for other in finals[1:]:
        for key, parameter in finals[0].items():
            assert torch.equal(parameter, other[key]), key
