/* The LSTM layer: i, f, o = sigmoid(p + W h), g = tanh(p + W h), c_t = f c_{t-1} + i g,
   h_t = o tanh(c_t), with p = W_in x_t + b; the four blocks stand in the order i, f, g, o. */

/* Gates after their functions [T, B, 4 H], cells and their tanh [T, B, H], states [T, B, H]. */
long lstm_forward(long steps, long batch, long inputs, long hidden, const REAL *x,
                  const REAL *input_weight, const REAL *weight, const REAL *bias, const REAL *before,
                  const REAL *cell_before, REAL *states, REAL *cells, REAL *tanh_cells, REAL *gates) {
    Layer l = {steps, batch, inputs, hidden, 4, x, input_weight, weight, bias, before};
    long bad = -1, size = batch * hidden, columns = 4 * hidden, at_once = steps_at_once(&l);
    REAL *packed_input = reserve(packed_size(inputs, columns)), *packed = reserve(packed_size(hidden, columns));
    pack_transposed(inputs, columns, input_weight, packed_input);
    pack_transposed(hidden, columns, weight, packed);
    for (long first = 0; first < steps; first += at_once) {
        long end = first + at_once < steps ? first + at_once : steps;
        project(&l, packed_input, first, end - first, gates + first * 4 * size);
        for (long t = first; t < end; t++) {
            const REAL *from = state_before(&l, states, t), *cell_from = t ? cells + (t - 1) * size : cell_before;
            REAL *now = gates + t * 4 * size;
            if (from) product(batch, columns, hidden, (Left){from, hidden, 1}, packed, now, columns, now, columns);
            for (long b = 0; b < batch; b++) {
                REAL *gate = now + b * columns;
                long row = t * size + b * hidden;
                for (long k = 0; k < hidden; k += WIDTH) {
                    V i = sigmoid_of(get(gate, k, hidden)), f = sigmoid_of(get(gate + hidden, k, hidden));
                    V g = tanh_of(get(gate + 2 * hidden, k, hidden)), o = sigmoid_of(get(gate + 3 * hidden, k, hidden));
                    V cell = cell_from ? get(cell_from + b * hidden, k, hidden) : all(0);
                    cell = f * cell + i * g;
                    V squashed = tanh_of(cell);
                    put(gate, k, hidden, i), put(gate + hidden, k, hidden, f);
                    put(gate + 2 * hidden, k, hidden, g), put(gate + 3 * hidden, k, hidden, o);
                    put(cells + row, k, hidden, cell), put(tanh_cells + row, k, hidden, squashed);
                    put(states + row, k, hidden, o * squashed);
                }
            }
            if (bad < 0 && !all_finite(size, states + t * size)) bad = t;
        }
    }
    free(packed_input), free(packed);
    return bad;
}

/* `carried` [B, 4 H] and `grad_cell` [B, H] (dL/dc through the future) go from segment to segment. */
void lstm_backward(long steps, long batch, long inputs, long hidden, const REAL *x,
                   const REAL *input_weight, const REAL *weight, const REAL *before, const REAL *cell_before,
                   const REAL *states, const REAL *cells, const REAL *tanh_cells, const REAL *gates,
                   long direct_steps, const REAL *direct, long later, REAL *carried, REAL *grad_cell,
                   REAL *total, double *norms, REAL *grad_x, REAL *grad_input_weight, REAL *grad_weight,
                   REAL *grad_bias) {
    Layer l = {steps, batch, inputs, hidden, 4, x, input_weight, weight, NULL, before};
    Gradients g = {direct_steps, direct, total, grad_x, grad_input_weight, grad_weight, grad_bias};
    Workspace w = open_workspace(&l, &g);
    long size = batch * hidden, columns = 4 * hidden, at_once = steps_at_once(&l);
    REAL *delta = reserve(at_once * 4 * size);
    if (!later) memset(grad_cell, 0, size * sizeof(REAL));
    for (long end = steps; end > 0;) {
        long first = (end - 1) / at_once * at_once;
        for (long t = end - 1; t >= first; t--) {
            REAL *to = delta + (t - first) * 4 * size;
            REAL *grad = total_derivative(&l, &g, &w, t, t + 1 < end ? to + 4 * size : later ? carried : NULL);
            const REAL *cell_from = t ? cells + (t - 1) * size : cell_before;
            if (norms) norms[t] = norm(size, grad);
            for (long b = 0; b < batch; b++) {
                const REAL *gate = gates + t * 4 * size + b * columns;
                REAL *out = to + b * columns;
                for (long k = 0; k < hidden; k += WIDTH) {
                    V i = get(gate, k, hidden), f = get(gate + hidden, k, hidden);
                    V c = get(gate + 2 * hidden, k, hidden), o = get(gate + 3 * hidden, k, hidden);
                    V h = get(grad + b * hidden, k, hidden);
                    V squashed = get(tanh_cells + t * size + b * hidden, k, hidden);
                    V cell = get(grad_cell + b * hidden, k, hidden) + h * (o * (all(1) - squashed * squashed));
                    V earlier = cell_from ? get(cell_from + b * hidden, k, hidden) : all(0);
                    put(out, k, hidden, cell * (c * i * (all(1) - i)));
                    put(out + hidden, k, hidden, cell * (earlier * f * (all(1) - f)));
                    put(out + 2 * hidden, k, hidden, cell * (i * (all(1) - c * c)));
                    put(out + 3 * hidden, k, hidden, h * (squashed * o * (all(1) - o)));
                    put(grad_cell + b * hidden, k, hidden, cell * f);
                }
            }
        }
        memcpy(carried, delta, 4 * size * sizeof(REAL));
        later = 1;
        add_gradients(&l, &g, &w, first, end - first, delta, delta, states);
        end = first;
    }
    free(delta), close_workspace(&w, &l, &g);
}
