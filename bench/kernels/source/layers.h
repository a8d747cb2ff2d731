/* Feed-forward layers: one linear map, and the stack of a deep network. */

/* y [rows, outputs] = x [rows, inputs] W [outputs, inputs]^T + b (or NULL: none). */
void linear(long rows, long inputs, long outputs, const REAL *x, const REAL *weight, const REAL *bias, REAL *y) {
    REAL *packed = reserve(packed_size(inputs, outputs));
    pack_transposed(inputs, outputs, weight, packed);
    product(rows, outputs, inputs, (Left){x, inputs, 1}, packed, bias, 0, y, outputs);
    free(packed);
}

/* From dL/dy: dL/dx, dL/dW and dL/db, each or NULL: not wanted. */
void linear_backward(long rows, long inputs, long outputs, const REAL *x, const REAL *weight,
                     const REAL *grad, REAL *grad_x, REAL *grad_weight, REAL *grad_bias) {
    REAL *packed = reserve(packed_size(ROWS_AT_ONCE > outputs ? ROWS_AT_ONCE : outputs, inputs));
    if (grad_x) {
        pack(outputs, inputs, weight, inputs, packed);
        product(rows, inputs, outputs, (Left){grad, outputs, 1}, packed, NULL, 0, grad_x, inputs);
    }
    if (grad_weight && !rows) memset(grad_weight, 0, (size_t)(outputs * inputs) * sizeof(REAL));
    if (grad_bias) memset(grad_bias, 0, (size_t)outputs * sizeof(REAL));
    for (long end = rows; end > 0; end -= ROWS_AT_ONCE) {
        long first = end > ROWS_AT_ONCE ? end - ROWS_AT_ONCE : 0;
        const REAL *so_far = end == rows ? NULL : grad_weight;
        if (grad_weight) outer(end - first, outputs, inputs, grad + first * outputs, x + first * inputs, so_far, grad_weight, packed);
        if (grad_bias) add_columns(end - first, outputs, grad + first * outputs, outputs, grad_bias);
    }
    free(packed);
}

/* h_l = f(W_l h_{l-1} + b_l) for l < depth, all H wide but the input x [B, I]; `states` and (for GELU,
   else NULL) `before` are [depth, B, H]. Returns the first layer whose state is not finite, or -1. */
long stack_forward(long depth, long batch, long inputs, long hidden, long kind, const REAL *x,
                   const REAL *const *weights, const REAL *const *biases, REAL *before, REAL *states) {
    long bad = -1, size = batch * hidden;
    for (long l = 0; l < depth; l++, x = states, states += size, inputs = hidden) {
        REAL *linear_part = before ? before + l * size : states;
        linear(batch, inputs, hidden, x, weights[l], biases[l], linear_part);
        elementwise(kind, size, linear_part, states);
        if (bad < 0 && !all_finite(size, states)) bad = l;
    }
    return bad;
}

/* `grad` [B, H] is dL/dh of the last layer; `total` [depth, B, H] or NULL takes every layer's, `norms`
   [depth] or NULL its L2 norm. */
void stack_backward(long depth, long batch, long inputs, long hidden, long kind, const REAL *x,
                    const REAL *const *weights, const REAL *before, const REAL *states, const REAL *grad,
                    REAL *total, double *norms, REAL *grad_x, REAL *const *grad_weights, REAL *const *grad_biases) {
    long size = batch * hidden;
    REAL *delta = reserve(size), *current = reserve(size);
    memcpy(current, grad, size * sizeof(REAL));
    for (long l = depth - 1; l >= 0; l--) {
        const REAL *from = l ? states + (l - 1) * size : x;
        if (total) memcpy(total + l * size, current, size * sizeof(REAL));
        if (norms) norms[l] = norm(size, current);
        elementwise_backward(kind, size, current, before ? before + l * size : NULL, states + l * size, delta);
        linear_backward(batch, l ? hidden : inputs, hidden, from, weights[l], delta, l ? current : grad_x, grad_weights[l], grad_biases[l]);
    }
    free(delta), free(current);
}
