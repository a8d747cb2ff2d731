/* The GRU layer, the reset gate after the product: r, z = sigmoid(p + W h),
   n = tanh(p + r (W h + b_n)), h_t = (1 - z) n + z h_{t-1}, with p = W_in x_t + b; blocks r, z, n. */

/* Gates after their functions [T, B, 3 H], candidates W h + b_n [T, B, H], states [T, B, H]. */
long gru_forward(long steps, long batch, long inputs, long hidden, const REAL *x,
                 const REAL *input_weight, const REAL *weight, const REAL *bias, const REAL *candidate_bias,
                 const REAL *before, REAL *states, REAL *gates, REAL *candidates) {
    Layer l = {steps, batch, inputs, hidden, 3, x, input_weight, weight, bias, before};
    long bad = -1, size = batch * hidden, columns = 3 * hidden, at_once = steps_at_once(&l);
    REAL *packed_input = reserve(packed_size(inputs, columns)), *packed = reserve(packed_size(hidden, columns));
    REAL *multiplied = reserve(3 * size), *start = reserve(columns);
    memset(start, 0, columns * sizeof(REAL));
    memcpy(start + 2 * hidden, candidate_bias, hidden * sizeof(REAL));
    pack_transposed(inputs, columns, input_weight, packed_input);
    pack_transposed(hidden, columns, weight, packed);
    for (long first = 0; first < steps; first += at_once) {
        long end = first + at_once < steps ? first + at_once : steps;
        project(&l, packed_input, first, end - first, gates + first * 3 * size);
        for (long t = first; t < end; t++) {
            const REAL *from = state_before(&l, states, t);
            /* Without a state the product has no terms, and `start` is left. */
            product(batch, columns, from ? hidden : 0, (Left){from, hidden, 1}, packed, start, 0, multiplied, columns);
            for (long b = 0; b < batch; b++) {
                REAL *gate = gates + t * 3 * size + b * columns, *part = multiplied + b * columns;
                long row = t * size + b * hidden;
                for (long k = 0; k < hidden; k += WIDTH) {
                    V candidate = get(part + 2 * hidden, k, hidden);
                    V r = sigmoid_of(get(gate, k, hidden) + get(part, k, hidden));
                    V z = sigmoid_of(get(gate + hidden, k, hidden) + get(part + hidden, k, hidden));
                    V n = tanh_of(get(gate + 2 * hidden, k, hidden) + r * candidate);
                    V h = from ? get(from + b * hidden, k, hidden) : all(0);
                    put(gate, k, hidden, r), put(gate + hidden, k, hidden, z), put(gate + 2 * hidden, k, hidden, n);
                    put(candidates + row, k, hidden, candidate);
                    put(states + row, k, hidden, (all(1) - z) * n + z * h);
                }
            }
            if (bad < 0 && !all_finite(size, states + t * size)) bad = t;
        }
    }
    free(packed_input), free(packed), free(multiplied), free(start);
    return bad;
}

/* `carried` [B, 3 H] and `kept` [B, H] (dL/dh_t z_t, what goes round the gates) go from segment to
   segment. */
void gru_backward(long steps, long batch, long inputs, long hidden, const REAL *x,
                  const REAL *input_weight, const REAL *weight, const REAL *before, const REAL *states,
                  const REAL *gates, const REAL *candidates, long direct_steps, const REAL *direct,
                  long later, REAL *carried, REAL *kept, REAL *total, double *norms, REAL *grad_x,
                  REAL *grad_input_weight, REAL *grad_weight, REAL *grad_bias, REAL *grad_candidate_bias) {
    Layer l = {steps, batch, inputs, hidden, 3, x, input_weight, weight, NULL, before};
    Gradients g = {direct_steps, direct, total, grad_x, grad_input_weight, grad_weight, grad_bias};
    Workspace w = open_workspace(&l, &g);
    long size = batch * hidden, columns = 3 * hidden, at_once = steps_at_once(&l);
    REAL *through = reserve(at_once * 3 * size), *delta = reserve(at_once * 3 * size); /* dL/d(W h), dL/dp */
    if (!later) memset(kept, 0, size * sizeof(REAL));
    for (long end = steps; end > 0;) {
        long first = (end - 1) / at_once * at_once;
        for (long t = end - 1; t >= first; t--) {
            REAL *to = through + (t - first) * 3 * size;
            REAL *grad = total_derivative(&l, &g, &w, t, t + 1 < end ? to + 3 * size : later ? carried : NULL);
            const REAL *from = state_before(&l, states, t);
            for (long i = 0; i < size; i += WIDTH) put(grad, i, size, get(grad, i, size) + get(kept, i, size));
            if (norms) norms[t] = norm(size, grad);
            for (long b = 0; b < batch; b++) {
                const REAL *gate = gates + t * 3 * size + b * columns;
                REAL *out = to + b * columns, *out_input = delta + (t - first) * 3 * size + b * columns;
                long row = b * hidden;
                for (long k = 0; k < hidden; k += WIDTH) {
                    V r = get(gate, k, hidden), z = get(gate + hidden, k, hidden), n = get(gate + 2 * hidden, k, hidden);
                    V candidate = get(candidates + t * size + row, k, hidden), h = get(grad + row, k, hidden);
                    V earlier = from ? get(from + row, k, hidden) : all(0);
                    V inner = h * ((all(1) - z) * (all(1) - n * n));
                    V to_r = inner * candidate * (r * (all(1) - r));
                    V to_z = h * ((earlier - n) * z * (all(1) - z));
                    put(out, k, hidden, to_r), put(out_input, k, hidden, to_r);
                    put(out + hidden, k, hidden, to_z), put(out_input + hidden, k, hidden, to_z);
                    put(out + 2 * hidden, k, hidden, inner * r), put(out_input + 2 * hidden, k, hidden, inner);
                    put(kept + row, k, hidden, h * z);
                }
            }
        }
        memcpy(carried, through, 3 * size * sizeof(REAL));
        later = 1;
        add_columns((end - first) * batch, hidden, through + 2 * hidden, columns, grad_candidate_bias);
        add_gradients(&l, &g, &w, first, end - first, delta, through, states);
        end = first;
    }
    free(through), free(delta), close_workspace(&w, &l, &g);
}
