"""What training and mitigations may ask of any network, whatever its architecture.

A network is an ordinary nn.Module that also says what its parameters are for (roles), lets a
function be inserted where it matters (sites), and keeps its hidden states and their total
derivatives dL/dh for whoever looks (trace).

Sites, and what a module that stands at one is called with:

    preactivation  z -> z', before the activation function of every gate, layer and time step
    state          s -> s', every tensor that goes from one time step to the next, as h and c
    feedback       h -> h', what the recurrent product alone sees of the state
    skip           (f(h), h) -> h', what a feed-forward layer hands on, from result and input; of
                   a residual block f(h) is the branch alone, before it is added to h

What stands at `state` is seen by all, the layers above and the outputs too; what is inserted with
`onward` is seen by the next time step alone.

A module that has a method `begin()` is told so before every pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bench import initial_weights
from bench.kernels.tap import Tap, Watch
from bench.seeding import Stream

RoleName: TypeAlias = Literal[
    "input", "recurrent", "hidden", "diagonal", "generator", "bias", "readout"
]
"""A recurrent matrix is computed from a generator, as S = W - W^T is from W: what is done to the
one is not done to the other, so that rules for square matrices leave generators alone."""
Site: TypeAlias = Literal["preactivation", "state", "feedback", "skip"]


@dataclass(frozen=True, kw_only=True)
class Role:
    """What a parameter is for, and how it starts.

    A parameter that stacks several gates holds one block of rows for each of `gates`.
    """

    name: RoleName
    layer: int
    gates: tuple[str, ...] = ("",)
    kind: initial_weights.Kind = "zeros"
    gain: float = 1.0


class Network(nn.Module):
    """The base of every architecture's network."""

    activation = ""  # of every hidden unit, where there is one for all
    forget_gate: str | None = None  # the gate whose bias decides how long a state is kept
    input_gate: str | None = None  # the gate whose bias decides what enters it, if there is one
    branches: tuple[tuple[str, str], ...] = ()  # names of each residual branch's two matrices

    def __init__(self) -> None:
        super().__init__()
        self.roles: dict[str, Role] = {}  # parameter name -> role
        self.site_widths: dict[str, int] = {}  # "site_layer_gate" -> number of units
        self.sites = nn.ModuleDict()  # the inserted functions, under the same keys
        # Of the last forward pass: one per recurrent layer, or one for all of a deep network.
        self.trace: list[Tap] = []
        self.watch = Watch.NOTHING  # how much of dL/dh the next pass keeps
        self.states_are_read = False  # whether tap.states of every pass must be differentiable
        self.segment: int | None = None  # keep the states every so many time steps alone

    def declare(self, name: str, shape: tuple[int, ...], role: Role) -> None:
        """Make a parameter; its numbers come from `initialise`."""
        self.register_parameter(name, nn.Parameter(torch.zeros(shape)))
        self.roles[name] = role

    def tensor(self, name: str) -> Tensor:
        """The parameter of this name, or what a mitigation's reparametrisation makes of it."""
        value: Tensor = getattr(self, name)
        return value

    def with_role(self, *names: RoleName) -> Iterator[tuple[nn.Parameter, Role]]:
        """The parameters of these roles (all that have one, if none is named)."""
        for name, parameter in self.named_parameters():
            role = self.roles.get(name)
            if role is not None and (not names or role.name in names):
                yield parameter, role

    def initialise(self, seed: int) -> None:
        """Give every parameter that has a role the numbers that its role and `seed` stand for."""
        for parameter, role in self.with_role():
            draw_into(parameter, role, seed)

    def insert(self, site: Site, make: Callable[[int], nn.Module], *, onward: bool = False) -> None:
        """Put `make(width)` at every place of `site`; the network then runs step by step.

        What stands there already is called first. With `onward`, at `state` alone, it changes what
        the next time step gets and neither the outputs of this one nor what the layer above sees.
        """
        if onward and site != "state":
            raise ValueError(f"{site} has nothing that goes onward")
        for place, width in self.site_widths.items():
            key = f"onward_{place}" if onward else place
            if place.startswith(site):
                there = self.sites[key] if key in self.sites else None  # noqa: SIM401 (no get)
                self.sites[key] = make(width) if there is None else _Both(there, make(width))

    def at(self, site: Site, layer: int, gate: str, value: Tensor, *others: Tensor) -> Tensor:
        """`value`, passed through what stands at this place, if anything does."""
        key = f"{site}_{layer}_{gate}"
        # Membership first: ModuleDict has no cheap get.
        return self.sites[key](value, *others) if key in self.sites else value

    def onward(self, layer: int, name: str, value: Tensor) -> Tensor:
        """What the next time step gets of the state `value`."""
        key = f"onward_state_{layer}_{name}"
        return self.sites[key](value) if key in self.sites else value

    def begin(self) -> None:
        """To be called at the start of every pass: tells those that stand at a site."""
        for module in self.sites.modules():
            tell = getattr(module, "begin", None)
            if tell is not None:
                tell()

    def reparametrise(self, name: str, parametrisation: nn.Module) -> None:
        """Compute the parameter `name` as parametrisation(V) from now on.

        V starts at the parameter's value, takes its place among the parameters, and its role:
        penalties and projections act on V, the network on what `tensor(name)` gives. What the
        parametrisation makes of V is computed once a pass.
        """
        parametrize.register_parametrization(self, name, parametrisation, unsafe=True)
        self.roles[f"parametrizations.{name}.original"] = self.roles.pop(name)

    def names_of(self, *names: RoleName) -> list[tuple[str, Role]]:
        """(name for `tensor`, role) of the parameters of these roles, reparametrised or not."""
        found = []
        for name, role in self.roles.items():
            if role.name in names:
                plain = name.removeprefix("parametrizations.").removesuffix(".original")
                found.append((plain, role))
        return found


class _Both(nn.Module):
    """Two modules at one place."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, value: Tensor, *others: Tensor) -> Tensor:
        result: Tensor = self.second(self.first(value, *others), *others)
        return result


def draw_into(parameter: nn.Parameter, role: Role, seed: int) -> None:
    """Overwrite `parameter` with the initial weights of `role`: one draw for each gate.

    The stream depends on role, layer, gate and shape alone, so that two architectures or two
    mitigations with the same seed start from the same numbers wherever they have the same part.
    """
    rows = parameter.shape[0] // len(role.gates)
    shape = (rows, *parameter.shape[1:])
    with torch.no_grad():
        for index, gate in enumerate(role.gates):
            stream = Stream("initial weights", role.name, role.layer, gate, *shape, seed=seed)
            block = initial_weights.draw(role.kind, shape, role.gain, stream)
            parameter[index * rows : (index + 1) * rows] = torch.from_numpy(block)
