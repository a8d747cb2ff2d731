/* exp, tanh, sigmoid, log, the normal distribution: in + - * / and fused alone, so the C library's
   choice for the processor does not matter. The coefficients: scripts/fit_polynomials.py.
   Largest errors over all of float / a sweep of double, in units of the last place:
   see tests/kernels/test_functions.py, which measures and bounds them. */

#if REAL_BITS == 64
enum { MANTISSA = 52, BIAS = 1023 };
static const REAL ROUNDING = 0x1.8p52, LN2_HIGH = 0.6931471805599453, LN2_LOW = 2.3190468138462996155e-17;
static const REAL EXP_LARGEST = 710, EXP_SMALLEST = -746, TANH_LARGEST = 20;
static const REAL EXPM1[] = {0.50000000000000010221, 0.16666666666666667453, 0.041666666666624127873,
    0.0083333333333300618325, 0.0013888888917213716901, 0.00019841269863053616878,
    0.000024801521295954375131, 2.7557268459997064772e-6, 2.7620088445409748161e-7,
    2.5100385495510319078e-8};
static const REAL LOG[] = {0.66666666666666696883, 0.39999999999899443233, 0.28571428626003268742,
    0.22222211130259877029, 0.18182889455674946039, 0.15331710618210771568, 0.14616585424888621989};
static const REAL ERFC[] = {1.2375126308378275819, -0.14024059858554701847, 0.0035854154854636558578,
    0.082276738490151033556, -0.10880393014170555161, 0.092304321160198045381,
    -0.058693398590589289914, 0.028362277421519669178, -0.0097465795471454374951,
    0.0017556258323895534019, 0.00029371359159349201134, -0.00029015397913224858766,
    0.000051649421745236465381, 0.000022383911531916975391, -0.000011445089837949410052,
    -9.7284849526564832918e-7, 1.7535246298697824428e-6, -5.8264397666956986049e-8,
    -2.6125820988901527426e-7, 2.4291311771894712491e-8, 4.1073989373325651157e-8,
    -4.3902519431408795038e-9, -6.6068294779166051073e-9, 5.4606574736307918206e-10,
    9.2348677075291551341e-10, -3.7587308035623255423e-11, -7.6662097959980975548e-11};
#else
enum { MANTISSA = 23, BIAS = 127 };
static const REAL ROUNDING = 0x1.8p23f, LN2_HIGH = 0.6931471824645996f, LN2_LOW = -1.9046542999577678785e-9f;
static const REAL EXP_LARGEST = 89, EXP_SMALLEST = -104, TANH_LARGEST = 10;
static const REAL EXPM1[] = {0.5f, 0.16666576989698775683f, 0.041666554617204574203f,
    0.0083631790527225773704f, 0.0013926183587713494542f};
static const REAL LOG[] = {0.66666685045156029067f, 0.39988778282162807727f, 0.29580053043188442144f};
static const REAL ERFC[] = {1.2375126184625716711f, -0.14024060801000691901f, 0.0035863101016888516905f,
    0.082277417560368671028f, -0.10881458496174143598f, 0.092296367961203001344f,
    -0.058645982867712495977f, 0.028396482120658268007f, -0.0098454910949592953902f,
    0.0016886622311156745356f, 0.00039670463828005489055f, -0.000228747233590847735f};
#endif
static const REAL LOG2E = (REAL)1.4426950408889634074;
static const REAL INVERSE_ROOT_2 = (REAL)0.70710678118654752440, INVERSE_ROOT_2PI = (REAL)0.39894228040143267794;
static const REAL SELU_SCALE = (REAL)1.0507009873554804934193349852946; /* Klambauer et al. 2017, eq. 14 */
static const REAL SELU_ALPHA = (REAL)1.6732632423543772848170429916717;

#define POLYNOMIAL(x, c) polynomial(x, c, sizeof(c) / sizeof((c)[0]))
INLINE V polynomial(V x, const REAL *c, const int terms) {
    V sum = all(c[terms - 1]);
    UNROLL for (int i = terms - 2; i >= 0; i--) sum = fused(sum, x, all(c[i]));
    return sum;
}

INLINE V absolute(V x) { return (V)((M)x & ~(M)all((REAL)-0.0)); }
INLINE V with_sign_of(V sign, V x) { return (V)((M)x | ((M)sign & (M)all((REAL)-0.0))); }
INLINE V at_most(V x, REAL bound) { return choose(x > all(bound), all(bound), x); } /* NaN stays */
INLINE V at_least(V x, REAL bound) { return choose(x < all(bound), all(bound), x); }
/* The integer nearest to x, as a number and (in the low bits of `bits`) as an integer. */
INLINE V nearest(V x, M *bits) {
    V rounded = x + all(ROUNDING);
    *bits = (M)rounded - (M)all(ROUNDING);
    return rounded - all(ROUNDING);
}
INLINE V power_of_2(M n) { return (V)((n + BIAS) << MANTISSA); }

/* exp(x) = 2^n (1 + result), |result| < 0.42. */
INLINE V reduced_exp(V x, V *n, M *bits) {
    *n = nearest(x * all(LOG2E), bits);
    V r = fused(*n, all(-LN2_HIGH), x);
    r = fused(*n, all(-LN2_LOW), r);
    return fused(r * r, POLYNOMIAL(r, EXPM1), r);
}

INLINE V exp_of(V x) {
    V n;
    M bits, half;
    x = at_least(at_most(x, EXP_LARGEST), EXP_SMALLEST);
    V m = reduced_exp(x, &n, &bits);
    nearest(n * all((REAL)0.5), &half); /* 2^n in two steps: subnormals are rounded once */
    return (m + all(1)) * power_of_2(half) * power_of_2(bits - half);
}

/* exp(x) - 1 for x in [-TANH_LARGEST * 2, TANH_LARGEST * 2]. */
INLINE V expm1_of(V x) {
    V n;
    M bits;
    V m = reduced_exp(x, &n, &bits);
    V scale = power_of_2(bits);
    return fused(scale, m, scale - all(1));
}

INLINE V tanh_of(V x) {
    V y = at_most(absolute(x), TANH_LARGEST);
    V e = expm1_of(y + y);
    return with_sign_of(x, e / (e + all(2)));
}

INLINE V sigmoid_of(V x) {
    V e = exp_of(-absolute(x));
    return choose(x < all(0), e, all(1)) / (all(1) + e);
}

INLINE V log_of(V x) {
    M subnormal = x < all(REAL_BITS == 64 ? (REAL)0x1p-1022 : (REAL)0x1p-126);
    V scaled = choose(subnormal, x * all((REAL)0x1p60), x);
    /* x = 2^n m with m in [sqrt(1/2), sqrt(2)): counted from the bits of sqrt(1/2). */
    M above = (M)scaled - (M)all(INVERSE_ROOT_2);
    M exponent = above >> MANTISSA;
    V m = (V)((M)scaled - (exponent << MANTISSA));
    V n = __builtin_convertvector(exponent, V) - choose(subnormal, all(60), all(0));
    V f = m - all(1), s = f / (f + all(2)), z = s * s, half = f * f * all((REAL)0.5);
    V tail = s * fused(z, POLYNOMIAL(z, LOG), half);
    V result = fused(n, all(LN2_HIGH), f - (half - fused(n, all(LN2_LOW), tail)));
    result = choose(x == all(0), all((REAL)-INFINITY), result);
    result = choose(x == all((REAL)INFINITY), x, result);
    return choose((x < all(0)) | (x != x), all((REAL)NAN), result);
}

/* Phi(x), the distribution function of a standard normal variable. */
INLINE V normal_distribution(V x) {
    V u = absolute(x) * all(INVERSE_ROOT_2);
    u = at_most(u, (REAL)40); /* 0 and 1 long before */
    V t = (u - all((REAL)3.75)) / (u + all((REAL)3.75));
    V square = u * u, rest = fused(u, u, -square);
    V e = exp_of(-square);
    e = fused(-rest, e, e);
    V upper = all((REAL)0.5) * e * POLYNOMIAL(t, ERFC) / (all(1) + u + u);
    return choose(x > all(0), all(1) - upper, upper);
}

enum { TANH, RELU, SELU, GELU, LINEAR, SIGMOID, EXP, LOG_, ACTIVATIONS };

INLINE V activate(const int kind, V x) {
    switch (kind) {
    case TANH: return tanh_of(x);
    case RELU: return choose(x <= all(0), all(0), x); /* NaN stays */
    case SELU: {
        V low = expm1_of(at_least(at_most(x, 0), -2 * TANH_LARGEST)) * all(SELU_ALPHA);
        return all(SELU_SCALE) * choose(x > all(0), x, low);
    }
    case GELU: return x * normal_distribution(x);
    case SIGMOID: return sigmoid_of(x);
    case EXP: return exp_of(x);
    case LOG_: return log_of(x);
    default: return x;
    }
}

/* `grad` times d after / d before. Where a unit is off, an infinite gradient gives 0, as torch's. */
INLINE V through_activation(const int kind, V grad, V before, V after) {
    switch (kind) {
    case TANH: return grad * (all(1) - after * after);
    case RELU: return choose(after <= all(0), all(0), grad);
    case SELU: return grad * choose(after > all(0), all(SELU_SCALE), after + all(SELU_SCALE * SELU_ALPHA));
    case GELU: {
        V density = exp_of(before * before * all((REAL)-0.5)) * all(INVERSE_ROOT_2PI);
        return grad * (normal_distribution(before) + before * density);
    }
    case SIGMOID: return grad * (after * (all(1) - after));
    default: return grad;
    }
}

/* Arrays by vectors; the last one may be cut short. */
INLINE V get(const REAL *from, long i, long size) {
    return i + WIDTH <= size ? load(from + i) : load_part(from + i, size - i);
}
INLINE void put(REAL *to, long i, long size, V value) {
    if (i + WIDTH <= size) store(to + i, value);
    else store_part(to + i, value, size - i);
}
