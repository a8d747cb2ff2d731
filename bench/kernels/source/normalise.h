/* Layer normalisation of every row, its mean and variance taken in float64. */

/* y = gain (x - mean) / sqrt(variance + eps) + bias, [rows, width]; leaves the normalised rows and
   1 / sqrt(variance + eps), [rows]. */
void layer_norm(long rows, long width, double eps, const REAL *x, const REAL *gain, const REAL *bias,
                REAL *normalised, REAL *scales, REAL *y) {
    for (long r = 0; r < rows; r++, x += width, normalised += width, y += width) {
        REAL mean = (REAL)(sum(width, x) / (double)width);
        for (long i = 0; i < width; i++) normalised[i] = x[i] - mean;
        double variance = sum_of_squares(width, normalised, 1) / (double)width;
        REAL scale = scales[r] = (REAL)(1 / __builtin_sqrt(variance + eps));
        for (long i = 0; i < width; i++) {
            normalised[i] *= scale;
            y[i] = normalised[i] * gain[i] + bias[i];
        }
    }
}

/* From dL/dy; those of gain and bias [width] are added to. */
void layer_norm_backward(long rows, long width, const REAL *gain, const REAL *normalised, const REAL *scales,
                         const REAL *grad, REAL *grad_x, REAL *grad_gain, REAL *grad_bias) {
    REAL *product = reserve(width);
    for (long r = 0; r < rows; r++, normalised += width, grad += width, grad_x += width) {
        for (long i = 0; i < width; i++) {
            grad_gain[i] += grad[i] * normalised[i];
            grad_bias[i] += grad[i];
            grad_x[i] = grad[i] * gain[i];
            product[i] = grad_x[i] * normalised[i];
        }
        REAL mean = (REAL)(sum(width, grad_x) / (double)width), along = (REAL)(sum(width, product) / (double)width);
        for (long i = 0; i < width; i++) grad_x[i] = (grad_x[i] - mean - normalised[i] * along) * scales[r];
    }
    free(product);
}
