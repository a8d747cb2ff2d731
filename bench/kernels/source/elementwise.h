/* Functions of every element of an array. Each kind has a loop of its own. */

INLINE void activate_each(const int kind, long size, const REAL *before, REAL *after) {
    for (long i = 0; i < size; i += WIDTH) put(after, i, size, activate(kind, get(before, i, size)));
}
INLINE void backward_each(const int kind, long size, const REAL *grad, const REAL *before,
                          const REAL *after, REAL *delta) {
    for (long i = 0; i < size; i += WIDTH)
        put(delta, i, size, through_activation(kind, get(grad, i, size),
            kind == GELU ? get(before, i, size) : all(0), get(after, i, size)));
}

#define FOR_KIND(call) \
    switch (kind) { \
    case TANH: { enum { KIND = TANH }; call; break; } \
    case RELU: { enum { KIND = RELU }; call; break; } \
    case SELU: { enum { KIND = SELU }; call; break; } \
    case GELU: { enum { KIND = GELU }; call; break; } \
    case SIGMOID: { enum { KIND = SIGMOID }; call; break; } \
    case EXP: { enum { KIND = EXP }; call; break; } \
    case LOG_: { enum { KIND = LOG_ }; call; break; } \
    default: { enum { KIND = LINEAR }; call; break; } \
    }

void elementwise(long kind, long size, const REAL *before, REAL *after) {
    FOR_KIND(activate_each(KIND, size, before, after))
}
void elementwise_backward(long kind, long size, const REAL *grad, const REAL *before,
                          const REAL *after, REAL *delta) {
    FOR_KIND(backward_each(KIND, size, grad, before, after, delta))
}
