"""The recurrent layers as one would write them in JAX: vmap over seeds, lax.scan over time, jit.

Run by speed_parts/peers.py, in an environment with JAX. Reads `make CELL T H B I` and `run`, line
by line; answers one line to each.
"""

import sys

import jax
import jax.numpy as jnp


def rnn(weights, state, x):
    (h,) = state
    return (jnp.tanh(x @ weights["in"] + h @ weights["rec"] + weights["b"]),)


def gru(weights, state, x):
    (h,) = state
    a_r, a_z, a_n = jnp.split(x @ weights["in"] + weights["b"], 3, axis=-1)
    b_r, b_z, b_n = jnp.split(h @ weights["rec"], 3, axis=-1)
    r, z = jax.nn.sigmoid(a_r + b_r), jax.nn.sigmoid(a_z + b_z)
    n = jnp.tanh(a_n + r * (b_n + weights["c"]))
    return ((1 - z) * n + z * h,)


def lstm(weights, state, x):
    h, c = state
    i, f, g, o = jnp.split(x @ weights["in"] + h @ weights["rec"] + weights["b"], 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


CELLS = {"rnn": (rnn, 1, 1), "gru": (gru, 3, 1), "lstm": (lstm, 4, 2)}


def make(name, steps, hidden, batch, inputs, seeds):
    cell, gates, states = CELLS[name]

    def initial(key):
        k1, k2 = jax.random.split(key)
        return {
            "in": jax.random.normal(k1, (inputs, gates * hidden)),
            "rec": jax.random.normal(k2, (hidden, gates * hidden)) / hidden**0.5,
            "b": jnp.zeros(gates * hidden),
            "c": jnp.zeros(hidden),
        }

    def loss(weights, xs):
        start = tuple(jnp.zeros((batch, hidden)) for _ in range(states))
        last, _ = jax.lax.scan(lambda state, x: (cell(weights, state, x), None), start, xs)
        return last[0].sum()

    keys = jax.random.split(jax.random.PRNGKey(0), seeds)
    weights = jax.vmap(initial)(keys)
    xs = jax.random.uniform(jax.random.PRNGKey(1), (seeds, steps, batch, inputs))
    step = jax.jit(jax.vmap(jax.value_and_grad(loss)))
    return lambda: jax.block_until_ready(step(weights, xs))


def main():
    seeds = int(sys.argv[1])
    print("jax", jax.__version__, flush=True)
    run = None
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "make":
            run = make(rest[0], *map(int, rest[1:]), seeds)
        run()
        print("done", flush=True)


if __name__ == "__main__":
    main()
