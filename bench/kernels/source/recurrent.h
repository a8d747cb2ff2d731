/* What the recurrent layers share. Weights hold G = gates blocks of H rows.

   The backward passes go from the last time step to the first and add to the weight gradients in
   that order, row by row. A sequence may therefore be cut in segments, the later one first: what
   goes from one to the next is exact, and so the bits do not depend on where it is cut. */

typedef struct {
    long steps, batch, inputs, hidden, gates;
    const REAL *x;            /* [T, B, I] */
    const REAL *input_weight; /* [G H, I] */
    const REAL *weight;       /* [G H, H] */
    const REAL *bias;         /* [G H] */
    const REAL *before;       /* [B, H] the state before the first step; NULL: zeros */
} Layer;

typedef struct {
    long direct_steps;  /* the last steps that the loss sees directly */
    const REAL *direct; /* [direct_steps, B, H] its dL/dh */
    REAL *total;        /* [T, B, H] dL/dh_t through every path; or NULL */
    REAL *x;            /* [T, B, I] or NULL */
    REAL *input_weight, *weight, *bias; /* are added to */
} Gradients;

/* Rows (time steps x batch) that are worked on while they are in the cache. */
enum { ROWS_AT_ONCE = 192 };
static long steps_at_once(const Layer *l) {
    long steps = ROWS_AT_ONCE / l->batch;
    return steps < 1 ? 1 : steps > l->steps ? l->steps : steps;
}

static REAL *reserve(long count) {
    return aligned_alloc(64, (size_t)(count * (long)sizeof(REAL) + 63) / 64 * 64);
}

/* x W_in^T + b for `steps` steps from `first`: [steps, B, G H], products of many rows at once. */
static void project(const Layer *l, const REAL *packed, long first, long steps, REAL *out) {
    long rows = steps * l->batch, columns = l->gates * l->hidden;
    Left x = {l->x + first * l->batch * l->inputs, l->inputs, 1};
    product(rows, columns, l->inputs, x, packed, l->bias, 0, out, columns);
}

/* The h that step t starts from, or NULL: zeros. */
static const REAL *state_before(const Layer *l, const REAL *states, long t) {
    return t ? states + (t - 1) * l->batch * l->hidden : l->before;
}

/* c[m, n] = start (NULL: zeros) + sum over rows, the last first, of a[row, m] b[row, n]. */
static void outer(long rows, long m, long n, const REAL *a, const REAL *b, const REAL *start, REAL *c, REAL *packed) {
    pack(rows, n, b + (rows - 1) * n, -n, packed);
    product(m, n, rows, (Left){a + (rows - 1) * m, 1, -m}, packed, start, n, c, n);
}
static void add_outer(long rows, long m, long n, const REAL *a, const REAL *b, REAL *c, REAL *packed) {
    outer(rows, m, n, a, b, c, c, packed);
}

static void add_columns(long rows, long columns, const REAL *a, long row, REAL *sums) {
    for (long i = 0; i < columns; i += 4 * WIDTH)
        for (long r = rows - 1; r >= 0; r--) {
            const REAL *from = a + r * row;
            for (long j = i; j < i + 4 * WIDTH && j < columns; j += WIDTH)
                put(sums, j, columns, get(sums, j, columns) + get(from, j, columns));
        }
}

/* Room for the backward pass of a layer. */
typedef struct {
    REAL *weight, *input_weight; /* packed */
    REAL *input_gradient;        /* [I, G H], transposed: vectors along the longer side */
    REAL *packed, *total;
} Workspace;

static Workspace open_workspace(const Layer *l, const Gradients *g) {
    long rows = steps_at_once(l) * l->batch, columns = l->gates * l->hidden;
    Workspace w = {
        reserve(packed_size(columns, l->hidden)), g->x ? reserve(packed_size(columns, l->inputs)) : NULL,
        reserve(l->inputs * columns), reserve(packed_size(rows, columns)), reserve(l->batch * l->hidden)};
    pack(columns, l->hidden, l->weight, l->hidden, w.weight);
    if (g->x) pack(columns, l->inputs, l->input_weight, l->inputs, w.input_weight);
    transpose_into(columns, l->inputs, g->input_weight, l->inputs, w.input_gradient, columns);
    return w;
}

static void close_workspace(Workspace *w, const Layer *l, const Gradients *g) {
    long columns = l->gates * l->hidden;
    transpose_into(l->inputs, columns, w->input_gradient, columns, g->input_weight, l->inputs);
    free(w->weight), free(w->input_weight), free(w->input_gradient), free(w->packed), free(w->total);
}

/* dL/dh_t = what the loss gives directly + later [B, G H] (dL/d(W h) of step t + 1, or NULL) x W. */
static REAL *total_derivative(const Layer *l, const Gradients *g, const Workspace *w, long t, const REAL *later) {
    long size = l->batch * l->hidden, columns = l->gates * l->hidden, index = t - (l->steps - g->direct_steps);
    const REAL *direct = index >= 0 ? g->direct + index * size : NULL;
    REAL *total = g->total ? g->total + t * size : w->total;
    if (later) product(l->batch, l->hidden, columns, (Left){later, columns, 1}, w->weight, direct, l->hidden, total, l->hidden);
    else if (direct) memcpy(total, direct, size * sizeof(REAL));
    else memset(total, 0, size * sizeof(REAL));
    return total;
}

/* The gradients of steps first .. first + steps - 1, from dL/dp and dL/d(W h), [steps, B, G H] each. */
static void add_gradients(const Layer *l, const Gradients *g, Workspace *w, long first, long steps,
                          const REAL *to_input, const REAL *to_product, const REAL *states) {
    long batch = l->batch, hidden = l->hidden, columns = l->gates * hidden, rows = steps * batch;
    add_columns(rows, columns, to_input, columns, g->bias);
    add_outer(rows, l->inputs, columns, l->x + first * batch * l->inputs, to_input, w->input_gradient, w->packed);
    if (g->x) product(rows, l->inputs, columns, (Left){to_input, columns, 1}, w->input_weight, NULL, 0,
                      g->x + first * batch * l->inputs, l->inputs);
    long skipped = first ? 0 : 1; /* the first step starts from elsewhere than states */
    const REAL *before = state_before(l, states, first + skipped);
    if (steps > skipped)
        add_outer((steps - skipped) * batch, columns, hidden, to_product + skipped * batch * columns, before, g->weight, w->packed);
    if (skipped && l->before) add_outer(batch, columns, hidden, to_product, l->before, g->weight, w->packed);
}
