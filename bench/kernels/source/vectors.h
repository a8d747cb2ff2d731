/* Vectors of REAL for one type (-DREAL_BITS=32 or 64) and one width (-DVECTOR_BYTES).

   The compiler's vector extensions give + - * / and comparison; only the fused multiply-add needs a
   name of its own. All arithmetic goes lane by lane and no lane is ever added to another, so every
   width gives the same bits. */

#include <stdint.h>
#include <string.h>

#if REAL_BITS == 64
typedef double REAL;
typedef int64_t INTEGER;
#define FUSED __builtin_fma
#define SQUARE_ROOT __builtin_sqrt
#else
typedef float REAL;
typedef int32_t INTEGER;
#define FUSED __builtin_fmaf
#define SQUARE_ROOT __builtin_sqrtf
#endif

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 64")

enum { WIDTH = VECTOR_BYTES / sizeof(REAL) };

typedef REAL V __attribute__((vector_size(VECTOR_BYTES)));
typedef INTEGER M __attribute__((vector_size(VECTOR_BYTES))); /* a mask, or the bits of a V */
typedef V UNALIGNED __attribute__((aligned(sizeof(REAL)), may_alias));

INLINE V load(const REAL *from) { return *(const UNALIGNED *)from; }
INLINE void store(REAL *to, V value) { *(UNALIGNED *)to = value; }
INLINE V all(REAL value) { return value - (V){0}; }

/* The first `count` lanes; the others are zero, or left alone. */
INLINE V load_part(const REAL *from, long count) {
    V value = {0};
    memcpy(&value, from, (size_t)count * sizeof(REAL));
    return value;
}
INLINE void store_part(REAL *to, V value, long count) {
    memcpy(to, &value, (size_t)count * sizeof(REAL));
}

INLINE V choose(M mask, V yes, V no) { return (V)((mask & (M)yes) | (~mask & (M)no)); }

/* a b + c, rounded once; lane by lane where the processor has no such vectors. */
#if VECTOR_BYTES >= 32 && defined __FMA__
#include <immintrin.h>
#endif
INLINE V fused(V a, V b, V c) {
#if VECTOR_BYTES == 64 && REAL_BITS == 64 && defined __AVX512F__
    return (V)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif VECTOR_BYTES == 64 && defined __AVX512F__
    return (V)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif VECTOR_BYTES == 32 && REAL_BITS == 64 && defined __FMA__
    return (V)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#elif VECTOR_BYTES == 32 && defined __FMA__
    return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    V result = {0};
    for (int i = 0; i < WIDTH; i++) result[i] = FUSED(a[i], b[i], c[i]);
    return result;
#endif
}
