/* Sums in float64 whose order does not depend on the vector width: sixteen chains, one for each index
   modulo sixteen, added up as a tree. Of what is independent of order, vectors. */

enum { CHAINS = 16 };

INLINE double add_chains(double *chain) {
    for (int half = CHAINS / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++) chain[i] += chain[i + half];
    return chain[0];
}

/* Whether no element is NaN or infinite: 0 x either is NaN, and a sum keeps it. */
long all_finite(long size, const REAL *values) {
    V any = {0};
    for (long i = 0; i < size; i += WIDTH) any = any + get(values, i, size) * all(0);
    REAL sum = 0;
    for (int i = 0; i < WIDTH; i++) sum += any[i];
    return sum == 0;
}

static double sum(long size, const REAL *values) {
    double chain[CHAINS] = {0};
    long i = 0;
    for (; i + CHAINS <= size; i += CHAINS)
        for (int j = 0; j < CHAINS; j++) chain[j] += (double)values[i + j];
    for (int j = 0; i < size; i++, j++) chain[j] += (double)values[i];
    return add_chains(chain);
}

double sum_of_squares(long size, const REAL *values, double scale) {
    double chain[CHAINS] = {0};
    long i = 0;
    for (; i + CHAINS <= size; i += CHAINS)
        for (int j = 0; j < CHAINS; j++) {
            double value = (double)values[i + j] * scale;
            chain[j] = __builtin_fma(value, value, chain[j]);
        }
    for (int j = 0; i < size; i++, j++) {
        double value = (double)values[i] * scale;
        chain[j] = __builtin_fma(value, value, chain[j]);
    }
    return add_chains(chain);
}

/* The largest absolute value; NaN if there is one. */
static double largest(long size, const REAL *values) {
    V most = {0}, unordered = {0};
    for (long i = 0; i < size; i += WIDTH) {
        V value = absolute(get(values, i, size));
        unordered = unordered + choose(value != value, value, all(0));
        most = choose(value > most, value, most);
    }
    double result = 0;
    for (int i = 0; i < WIDTH; i++) {
        if (unordered[i] != unordered[i]) return (double)NAN;
        if ((double)most[i] > result) result = (double)most[i];
    }
    return result;
}

/* L2 norm: infinite or NaN only where an element is; one too large for float64 is its largest. */
double norm(long size, const REAL *values) {
    double squares = sum_of_squares(size, values, 1);
    if (squares > 0x1p-900 && squares < 0x1p1000) return __builtin_sqrt(squares);
    double most = largest(size, values);
    if (!(most > 0 && most < (double)INFINITY)) return most;
    int exponent; /* the squares leave float64: scaled by a power of two they do not */
    frexp(most, &exponent);
    exponent = exponent < -1000 ? -1000 : exponent;
    double result = ldexp(__builtin_sqrt(sum_of_squares(size, values, ldexp(1, -exponent))), exponent);
    return result < DBL_MAX ? result : DBL_MAX;
}
