/* The optimisers, one pass over a vector [N] each, rounded operation by operation as their PyTorch
   twins are. `rate`, decays and corrections are rounded to REAL first. */

void sgd(long size, REAL *restrict parameters, const REAL *restrict gradients, double rate) {
    for (long i = 0; i < size; i++) parameters[i] -= gradients[i] * (REAL)rate;
}

void momentum(long size, REAL *restrict parameters, const REAL *restrict gradients, REAL *restrict velocity,
              double rate, double decay) {
    for (long i = 0; i < size; i++) {
        velocity[i] = velocity[i] * (REAL)decay + gradients[i];
        parameters[i] -= velocity[i] * (REAL)rate;
    }
}

void rmsprop(long size, REAL *restrict parameters, const REAL *restrict gradients, REAL *restrict average,
             double rate, double decay, double rest, double eps) {
    for (long i = 0; i < size; i++) {
        average[i] = average[i] * (REAL)decay + gradients[i] * gradients[i] * (REAL)rest;
        parameters[i] -= gradients[i] * (REAL)rate / (SQUARE_ROOT(average[i]) + (REAL)eps);
    }
}

/* `rest1` = 1 - beta1, `left1` = 1 - beta1^t, and so for 2. */
void adam(long size, REAL *restrict parameters, const REAL *restrict gradients, REAL *restrict average,
          REAL *restrict square, double rate, double beta1, double rest1, double left1, double beta2,
          double rest2, double left2, double eps) {
    for (long i = 0; i < size; i++) {
        average[i] = average[i] * (REAL)beta1 + gradients[i] * (REAL)rest1;
        square[i] = square[i] * (REAL)beta2 + gradients[i] * gradients[i] * (REAL)rest2;
        REAL scale = SQUARE_ROOT(square[i] / (REAL)left2) + (REAL)eps;
        parameters[i] -= average[i] / (REAL)left1 * (REAL)rate / scale;
    }
}
