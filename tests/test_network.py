"""What any network offers: roles, initial weights, sites, derivatives kept on request."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils import parametrize

from bench import discovery, initial_weights
from bench.architectures.lstm import LSTM
from bench.architectures.mlp import MLP
from bench.architectures.rnn_tanh import RNNTanh
from bench.kernels.tap import Nonfinite, Tap, Watch, first_nonfinite
from bench.network import Network, Role
from bench.records import Signature
from bench.seeding import Stream
from tests.specs import spec


class Pair(Network):
    """Two layers, of which one stacks two gates, and a parameter that has no role."""

    def __init__(self) -> None:
        super().__init__()
        self.declare("first", (3, 2), Role(name="input", layer=0, kind="gaussian", gain=2.0))
        gates = Role(name="recurrent", layer=1, gates=("a", "b"), kind="orthogonal")
        self.declare("second", (6, 3), gates)
        self.declare("offset", (3,), Role(name="bias", layer=0))
        self.extra = nn.Parameter(torch.full((2,), 7.0))
        self.site_widths = {"preactivation_0_": 3, "state_0_": 3, "preactivation_1_a": 6}

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.at("preactivation", 0, "", linear(inputs, self.tensor("first")))
        return self.at("preactivation", 1, "a", linear(hidden, self.tensor("second")))


def test_each_gate_is_a_draw_of_its_own_from_the_stream_of_its_role() -> None:
    network = Pair()
    network.initialise(seed=5)
    for index, gate in enumerate("ab"):
        stream = Stream("initial weights", "recurrent", 1, gate, 3, 3, seed=5)
        expected = initial_weights.draw("orthogonal", (3, 3), 1.0, stream)
        block = network.get_parameter("second")[3 * index : 3 * index + 3]
        assert torch.equal(block.double(), torch.from_numpy(expected))
    assert not torch.equal(network.get_parameter("second")[:3], network.get_parameter("second")[3:])


def test_a_parameter_without_a_role_is_left_alone() -> None:
    network = Pair()
    network.initialise(seed=5)
    assert torch.equal(network.extra, torch.full((2,), 7.0))


def test_parameters_are_found_by_role() -> None:
    network = Pair()
    found = {role.name: parameter for parameter, role in network.with_role()}
    assert list(found) == ["input", "recurrent", "bias"]
    assert [role.name for _, role in network.with_role("bias", "input")] == ["input", "bias"]
    assert found["input"] is network.get_parameter("first")


def test_a_float64_network_starts_from_the_same_numbers() -> None:
    single, double = Pair(), Pair().double()
    for network in (single, double):
        network.initialise(seed=1)
    for one, two in zip(single.parameters(), double.parameters(), strict=True):
        assert torch.equal(one.double(), two)


class Doubling(nn.Module):
    def forward(self, values: Tensor) -> Tensor:
        return 2 * values


def test_a_function_is_inserted_at_every_place_of_its_site_with_its_width() -> None:
    network = Pair()
    network.initialise(seed=0)
    inputs = torch.ones(1, 2)
    before = network(inputs)
    widths: list[int] = []

    def make(width: int) -> nn.Module:
        widths.append(width)
        return Doubling()

    network.insert("preactivation", make)
    assert widths == [3, 6]
    assert set(network.sites) == {"preactivation_0_", "preactivation_1_a"}
    assert torch.equal(network(inputs), 4 * before)


def test_the_parameters_of_what_is_inserted_are_the_networks() -> None:
    network = Pair()
    network.insert("state", lambda width: nn.Linear(width, width))
    assert "sites.state_0_.weight" in dict(network.named_parameters())


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (RNNTanh(hidden_size=4, num_layers=1, kind="orthogonal", gain=1.0), "recurrent_0"),
        (LSTM(hidden_size=4, num_layers=2, kind="orthogonal", gain=1.0), "input_1"),
        (MLP(depth=3, hidden_size=4, activation="tanh", kind="orthogonal", gain=1.0), "weight_1"),
    ],
    ids=["rnn_tanh", "lstm", "mlp"],
)
@pytest.mark.parametrize("with_site", [False, True])
def test_a_reparametrised_weight_is_the_one_that_acts(
    network: RNNTanh | LSTM | MLP, name: str, with_site: bool
) -> None:
    """torch's parametrize puts a function of the parameter in its place."""
    built, changed = (network.build(Signature(input_size=2, output_size=1)) for _ in range(2))
    for each in (built, changed):
        each.initialise(seed=0)
        if with_site:
            each.insert("preactivation", lambda width: nn.Identity())
    parametrize.register_parametrization(changed, name, Doubling())
    with torch.no_grad():
        built.get_parameter(name).mul_(2)
    inputs = torch.ones(2, 2) if isinstance(network, MLP) else torch.ones(3, 2, 2)
    outputs = changed(inputs)
    assert torch.equal(outputs, built(inputs))
    outputs.sum().backward()
    original = changed.get_parameter(f"parametrizations.{name}.original")
    assert original.grad is not None
    assert original.grad.abs().sum() > 0


def step_path(watch: Watch, shape: tuple[int, int, int]) -> tuple[Tap, Tensor]:
    """A tap that has seen states one by one, and the stack of them that a loss is taken of."""
    tap = Tap(watch)
    for _ in range(shape[0]):
        tap.retain(torch.ones(shape[1:], requires_grad=True) * 1.0)
    return tap, torch.stack(tap.retained)


@pytest.mark.parametrize("shape", [(1, 3, 2), (4, 3, 2)])
def test_a_tap_stacks_what_autograd_leaves_with_single_states(shape: tuple[int, int, int]) -> None:
    tap, states = step_path(Watch.GRADIENTS, shape)
    (3 * states).sum().backward()
    assert torch.equal(tap.total_derivative(), torch.full(shape, 3.0))
    assert tap.derivative_norms().tolist() == pytest.approx([3 * 6**0.5] * shape[0])
    assert tap.derivative_norms().dtype == torch.float64


def test_a_state_that_the_loss_does_not_reach_has_derivative_zero() -> None:
    tap, states = step_path(Watch.GRADIENTS, (2, 1, 2))
    states[0].sum().backward()
    assert tap.total_derivative().tolist() == [[[1.0, 1.0]], [[0.0, 0.0]]]
    assert tap.derivative_norms().tolist() == [pytest.approx(2**0.5), 0.0]


def test_a_tap_gives_what_was_watched_and_no_more() -> None:
    for watch in (Watch.NOTHING, Watch.NORMS):
        tap, states = step_path(watch, (2, 1, 2))
        states.sum().backward()
        with pytest.raises(RuntimeError, match="not watched"):
            tap.total_derivative()
    assert len(tap.derivative_norms()) == 2
    with pytest.raises(RuntimeError, match="not watched"):
        step_path(Watch.NOTHING, (2, 1, 2))[0].derivative_norms()


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_tap_notes_the_first_state_that_is_not_finite(poison: float) -> None:
    tap = Tap(Watch.NOTHING)
    for value in (1.0, poison, 1.0, float("nan")):
        tap.retain(torch.tensor([[1.0, value]]))
    assert tap.nonfinite == Nonfinite(1, is_nan=poison != poison)
    states = torch.tensor([[[1.0]], [[2.0]], [[poison]]])
    assert first_nonfinite(states, offset=7) == Nonfinite(9, is_nan=poison != poison)
    assert first_nonfinite(states[:2]) is None


@pytest.mark.parametrize("name", sorted(discovery.members("architecture")))
def test_a_pass_is_freed_by_the_next_one_without_the_garbage_collector(name: str) -> None:
    """A graph that held itself cost a deep network a quarter of a megabyte an update."""
    task = (
        "digits" if discovery.member("architecture", name).facts["inputs"] == "vector" else "adding"
    )
    one = spec(task, name)
    network = discovery.build("architecture", one.architecture).build(
        discovery.build("task", one.task).signature
    )
    features = 64 if task == "digits" else 2
    inputs = torch.ones(3, features) if task == "digits" else torch.ones(7, 3, features)
    gc.collect()
    gc.disable()
    try:
        network(inputs).sum().backward()
        states = [weakref.ref(tap.states) for tap in network.trace]
        network(inputs).sum().backward()
        assert [state() for state in states] == [None] * len(states)
    finally:
        gc.enable()
