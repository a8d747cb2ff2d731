"""The acceptance battery of architectures: every one found on disk, on every task it can take."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from bench import discovery
from bench.kernels.norms import norm
from bench.kernels.tap import Watch
from bench.network import Network, Site
from bench.records import Signature
from bench.tasks import Task
from tests.specs import member, with_data_of

ARCHITECTURES = discovery.members("architecture")
SITES = get_args(Site)
each_architecture = pytest.mark.parametrize("name", ARCHITECTURES)
PAIRS = [
    with_data_of(task, name, task)
    for name, architecture in ARCHITECTURES.items()
    for task, found in discovery.members("task").items()
    if found.facts["inputs"] == architecture.facts["inputs"]
]


def build(name: str, signature: Signature | None = None, seed: int = 0, **other: Any) -> Network:
    spec = member("architecture", name, **other)
    signature = signature or Signature(input_size=3, output_size=2)
    network: Network = discovery.build("architecture", spec).build(signature)
    network.initialise(seed)
    return network


def some_inputs(name: str) -> Tensor:
    shape = (6, 4, 3) if ARCHITECTURES[name].facts["inputs"] == "sequence" else (4, 3)
    return torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Counting(nn.Module):
    """The identity; it counts its calls and checks the width that it was made for."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width, self.calls = width, 0

    def forward(self, values: Tensor, *others: Tensor) -> Tensor:
        assert values.shape[-1] == self.width
        self.calls += 1
        return values


class Adding(Counting):
    """What a residual block does with its branch by itself."""

    def forward(self, values: Tensor, *others: Tensor) -> Tensor:
        return super().forward(values) + others[0]


@pytest.mark.parametrize(("name", "task"), PAIRS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_it_runs_there_and_back_on_every_task_that_fits(
    name: str, task: str, dtype: torch.dtype
) -> None:
    built: Task = discovery.build("task", member("task", task))
    network = build(name, built.signature).to(dtype)
    batch = built.training_batch(1, seed=0)
    targets = torch.from_numpy(batch.targets)
    targets = targets.to(dtype) if targets.is_floating_point() else targets
    network.watch = Watch.GRADIENTS
    outputs = network(torch.from_numpy(batch.inputs).to(dtype))
    loss = built.loss(outputs, targets)
    loss.backward()
    assert outputs.dtype == dtype
    assert loss.isfinite()
    for parameter_name, parameter in network.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all()
    weights = [p for p, role in network.with_role() if role.name != "bias"]
    assert all(weight.grad is not None and weight.grad.any() for weight in weights)
    for tap in network.trace:
        assert tap.states is not None
        assert tap.total_derivative().shape == tap.states.shape
        assert tap.total_derivative().any()
        norms = [norm(position) for position in tap.total_derivative()]
        assert tap.derivative_norms().tolist() == pytest.approx(norms)
        assert tap.over_time == (ARCHITECTURES[name].facts["inputs"] == "sequence")
        assert tap.nonfinite is None


@each_architecture
def test_every_parameter_has_a_role_whose_gates_divide_it(name: str) -> None:
    network = build(name)
    assert set(network.roles) == {name for name, _ in network.named_parameters()}
    for parameter, role in network.with_role():
        assert parameter.shape[0] % len(role.gates) == 0
        assert len(set(role.gates)) == len(role.gates)
    assert {role.name for _, role in network.with_role()} >= {"input", "readout"}


@each_architecture
def test_it_provides_what_it_says(name: str) -> None:
    facts, network = ARCHITECTURES[name].facts, build(name)
    square = [
        block
        for parameter, role in network.with_role("recurrent", "hidden")
        for block in parameter.chunk(len(role.gates))
    ]
    assert all(block.shape[0] == block.shape[1] for block in square)
    found = {
        "square_weights": bool(square),
        "recurrent_weights": any(True for _ in network.with_role("recurrent")),
        **{site: any(key.startswith(site) for key in network.site_widths) for site in SITES},
        "hidden_states": facts["inputs"] == "sequence",
        "layers": facts["inputs"] == "vector",
        "activation": bool(network.activation),
        "forget_gate": network.forget_gate is not None,
        "plain_recurrence": hasattr(network, "slopes"),
        "plain_layers": facts["inputs"] == "vector" and not passes_by_the_weights(name),
        "branches": bool(network.branches),
    }
    told = set(facts["provides"]) - {"carry", "no_shortcut"}
    assert {what for what, there in found.items() if there} == told
    gates = {gate for _, role in network.with_role("bias") for gate in role.gates}
    assert {network.forget_gate, network.input_gate} <= gates | {None}
    blocks = Counter[tuple[str, int]]()
    for _, role in network.with_role("input", "hidden", "recurrent"):
        blocks[role.name, role.layer] += len(role.gates)
    assert max(blocks.values()) == facts["gates"]


def passes_by_the_weights(name: str) -> bool:
    """Whether a feed-forward network tells examples apart without its square matrices."""
    network = build(name).double()
    with torch.no_grad():
        for weight, _ in network.with_role("hidden"):
            weight.zero_()
    outputs = network(some_inputs(name))
    return not torch.equal(outputs, outputs[:1].expand_as(outputs))


@each_architecture
@pytest.mark.parametrize("site", SITES)
def test_the_identity_at_a_site_is_called_and_changes_nothing(name: str, site: Site) -> None:
    if site not in ARCHITECTURES[name].facts["provides"]:
        return
    inputs, derivatives = some_inputs(name), []
    for inserted in (False, True):
        network = build(name).double()
        if inserted:
            # In a residual block the neutral function is the sum.
            network.insert(site, Adding if site == "skip" and network.branches else Counting)
        network.watch = Watch.GRADIENTS
        outputs = network(inputs)
        outputs.sum().backward()
        gradients = {name: p.grad for name, p in network.named_parameters()}
        totals = {f"tap {i}": tap.total_derivative() for i, tap in enumerate(network.trace)}
        derivatives.append({"outputs": outputs.detach()} | gradients | totals)
    steps = len(inputs) if ARCHITECTURES[name].facts["inputs"] == "sequence" else 1
    assert [module.calls for module in network.sites.values()] == [steps] * len(network.sites)
    for key, tensor in derivatives[0].items():
        torch.testing.assert_close(derivatives[1][key], tensor, rtol=1e-10, atol=1e-12, msg=key)


@each_architecture
def test_the_initial_weights_are_those_of_the_seed_in_either_type(name: str) -> None:
    once, again, other = build(name, seed=1), build(name, seed=1), build(name, seed=2)
    single, double = build(name, seed=0), build(name, seed=0).double()
    double.initialise(seed=1)
    single.initialise(seed=1)  # over whatever was there
    for parameter, role in once.with_role("input", "readout"):
        key = next(key for key, value in once.roles.items() if value is role)
        assert not torch.equal(parameter, other.get_parameter(key))
    for key, parameter in once.named_parameters():
        for same in (again, single, double):
            assert torch.equal(parameter.double(), same.get_parameter(key).double())


@each_architecture
def test_nan_in_one_example_is_nan_in_its_output_and_in_no_other(name: str) -> None:
    network, inputs = build(name).double(), some_inputs(name)
    inputs[..., 1, :] = float("nan")
    outputs = network(inputs).flatten(0, -3) if inputs.dim() == 3 else network(inputs)
    assert outputs[..., 1, :].isnan().all()
    assert outputs[..., [0, 2, 3], :].isfinite().all()


@each_architecture
def test_two_networks_share_no_parameter(name: str) -> None:
    one, other = build(name), build(name)
    with torch.no_grad():
        for parameter in one.parameters():
            parameter.fill_(7.0)
    assert not any((parameter == 7.0).any() for parameter in other.parameters())
