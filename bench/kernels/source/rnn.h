/* The plain recurrent layer: h_t = f(W_in x_t + b + W h_{t-1}), f = tanh, ReLU or the identity. */

INLINE void rnn_forward_of(const int kind, const Layer *l, REAL *states, long *bad) {
    long batch = l->batch, hidden = l->hidden, size = batch * hidden, at_once = steps_at_once(l);
    REAL *input = reserve(packed_size(l->inputs, hidden)), *weight = reserve(packed_size(hidden, hidden));
    pack_transposed(l->inputs, hidden, l->input_weight, input);
    pack_transposed(hidden, hidden, l->weight, weight);
    for (long first = 0; first < l->steps; first += at_once) {
        long end = first + at_once < l->steps ? first + at_once : l->steps;
        project(l, input, first, end - first, states + first * size);
        for (long t = first; t < end; t++) {
            REAL *state = states + t * size;
            const REAL *before = state_before(l, states, t);
            if (before) product(batch, hidden, hidden, (Left){before, hidden, 1}, weight, state, hidden, state, hidden);
            activate_each(kind, size, state, state);
            if (*bad < 0 && !all_finite(size, state)) *bad = t;
        }
    }
    free(input), free(weight);
}

/* States [T, B, H]; the first time step whose state is not finite, or -1. */
long rnn_forward(long steps, long batch, long inputs, long hidden, long kind, const REAL *x,
                 const REAL *input_weight, const REAL *weight, const REAL *bias, const REAL *before,
                 REAL *states) {
    Layer l = {steps, batch, inputs, hidden, 1, x, input_weight, weight, bias, before};
    long bad = -1;
    if (kind == TANH) rnn_forward_of(TANH, &l, states, &bad);
    else if (kind == RELU) rnn_forward_of(RELU, &l, states, &bad);
    else rnn_forward_of(LINEAR, &l, states, &bad);
    return bad;
}

/* `carried` [B, H] takes dL/d(W h) of the first step of a segment to the one before it. */
void rnn_backward(long steps, long batch, long inputs, long hidden, long kind, const REAL *x,
                  const REAL *input_weight, const REAL *weight, const REAL *before, const REAL *states,
                  long direct_steps, const REAL *direct, long later, REAL *carried, REAL *total,
                  double *norms, REAL *grad_x, REAL *grad_input_weight, REAL *grad_weight, REAL *grad_bias) {
    Layer l = {steps, batch, inputs, hidden, 1, x, input_weight, weight, NULL, before};
    Gradients g = {direct_steps, direct, total, grad_x, grad_input_weight, grad_weight, grad_bias};
    Workspace w = open_workspace(&l, &g);
    long size = batch * hidden, at_once = steps_at_once(&l);
    REAL *delta = reserve(at_once * size);
    for (long end = steps; end > 0;) {
        long first = (end - 1) / at_once * at_once;
        for (long t = end - 1; t >= first; t--) {
            const REAL *next = t + 1 < end ? delta + (t + 1 - first) * size : later ? carried : NULL;
            REAL *grad = total_derivative(&l, &g, &w, t, next);
            if (norms) norms[t] = norm(size, grad);
            REAL *to = delta + (t - first) * size;
            if (kind == TANH) backward_each(TANH, size, grad, NULL, states + t * size, to);
            else if (kind == RELU) backward_each(RELU, size, grad, NULL, states + t * size, to);
            else backward_each(LINEAR, size, grad, NULL, states + t * size, to);
        }
        memcpy(carried, delta, size * sizeof(REAL));
        later = 1;
        add_gradients(&l, &g, &w, first, end - first, delta, delta, states);
        end = first;
    }
    free(delta), close_workspace(&w, &l, &g);
}
