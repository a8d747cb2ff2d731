/* The two losses, their mean taken in float64. */

/* Mean over rows of -log softmax(logits [N, C])[target]; leaves the probabilities. */
double softmax_cross_entropy(long rows, long classes, const REAL *logits, const int64_t *targets, REAL *probabilities) {
    REAL *losses = reserve(rows), *sums = reserve(rows);
    for (long r = 0; r < rows; r++) {
        const REAL *from = logits + r * classes;
        REAL most = from[0];
        for (long c = 1; c < classes; c++) most = from[c] > most ? from[c] : most;
        for (long c = 0; c < classes; c++) probabilities[r * classes + c] = from[c] - most;
        losses[r] = -probabilities[r * classes + targets[r]];
    }
    activate_each(EXP, rows * classes, probabilities, probabilities);
    for (long r = 0; r < rows; r++) {
        REAL total = 0;
        for (long c = 0; c < classes; c++) total += probabilities[r * classes + c];
        for (long c = 0; c < classes; c++) probabilities[r * classes + c] /= total;
        sums[r] = total;
    }
    activate_each(LOG_, rows, sums, sums);
    for (long r = 0; r < rows; r++) losses[r] += sums[r];
    double mean = sum(rows, losses) / (double)rows;
    free(losses), free(sums);
    return mean;
}

/* dL/dlogits = (probability - [target]) scale. */
void softmax_cross_entropy_backward(long rows, long classes, const REAL *probabilities, const int64_t *targets,
                                    double scale, REAL *grad) {
    for (long r = 0; r < rows; r++)
        for (long c = 0; c < classes; c++)
            grad[r * classes + c] = (probabilities[r * classes + c] - (REAL)(c == targets[r])) * (REAL)scale;
}

/* Mean over all elements of (output - target)^2; leaves output - target. */
double mean_squared_error(long size, const REAL *outputs, const REAL *targets, REAL *difference) {
    for (long i = 0; i < size; i++) difference[i] = outputs[i] - targets[i];
    return sum_of_squares(size, difference, 1) / (double)size;
}
