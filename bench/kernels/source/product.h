/* Matrix products. Each output is one chain of fused multiply-adds, in the order of k, from the
   value that it starts at: neither tile nor vector width is seen in the bits.

   The right factor is packed in panels of PANEL columns: the k rows of a panel one after another,
   zeros beyond the last column. A tile of ROWS x VECTORS vectors of the result stays in registers. */

#include <stdlib.h>

enum { PANEL = VECTORS * WIDTH };
_Static_assert((ROWS == 4 || ROWS == 6) && (VECTORS == 2 || VECTORS == 4), "the tiles of any_tile");

/* Strided views: element (i, k) of a left factor is at[i * row + k * column]. */
typedef struct {
    const REAL *at;
    long row, column;
} Left;

INLINE void tile(const int rows, const int vectors, long depth, Left a, const REAL *b,
                 const REAL *start, long start_row, REAL *c, long c_row) {
    V sum[ROWS][VECTORS];
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++)
            sum[i][j] = start ? load(start + i * start_row + j * WIDTH) : (V){0};
    for (; depth > 0; depth--, a.at += a.column, b += PANEL) {
        V right[VECTORS];
        UNROLL for (int j = 0; j < vectors; j++) right[j] = load(b + j * WIDTH);
        UNROLL for (int i = 0; i < rows; i++) {
            V left = all(a.at[i * a.row]);
            UNROLL for (int j = 0; j < vectors; j++) sum[i][j] = fused(left, right[j], sum[i][j]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
        UNROLL for (int j = 0; j < vectors; j++) store(c + i * c_row + j * WIDTH, sum[i][j]);
}

/* Code of its own for every height and width of a tile up to the largest. */
#define TILE(rows, vectors) tile(rows, vectors, depth, a, b, start, start_row, c, c_row)
#if VECTORS == 2
#define TILES_OF(rows) if (vectors == 2) TILE(rows, 2); else TILE(rows, 1); return
#elif VECTORS == 4
#define TILES_OF(rows) \
    switch (vectors) { \
    case 1: TILE(rows, 1); return; \
    case 2: TILE(rows, 2); return; \
    case 3: TILE(rows, 3); return; \
    default: TILE(rows, 4); return; \
    }
#endif
static void any_tile(int rows, int vectors, long depth, Left a, const REAL *b, const REAL *start,
                     long start_row, REAL *c, long c_row) {
    switch (rows) {
    case 1: TILES_OF(1);
    case 2: TILES_OF(2);
    case 3: TILES_OF(3);
#if ROWS == 6
    case 4: TILES_OF(4);
    case 5: TILES_OF(5);
#endif
    default: TILES_OF(ROWS);
    }
}

/* c[rows, columns] = start + a[rows, depth] b[depth, columns]. `start` has rows `start_row` apart
   (0: the same row for all, as a bias), may be c itself, and is zero where NULL. */
static void product(long rows, long columns, long depth, Left a, const REAL *packed,
                    const REAL *start, long start_row, REAL *c, long c_row) {
    for (long j = 0; j < columns; j += PANEL, packed += PANEL * depth) {
        long width = columns - j < PANEL ? columns - j : PANEL;
        int vectors = (int)((width + WIDTH - 1) / WIDTH);
        int whole = width % WIDTH == 0;
        /* Tiles of nearly equal height: a low one at the end would have too few sums under way. */
        long tiles = (rows + ROWS - 1) / ROWS;
        int height;
        for (long i = 0; i < rows; i += height, tiles--) {
            height = (int)((rows - i + tiles - 1) / tiles);
            Left left = {a.at + i * a.row, a.row, a.column};
            const REAL *from = start ? start + i * start_row + j : NULL;
            REAL *to = c + i * c_row + j;
            if (whole) {
                any_tile(height, vectors, depth, left, packed, from, start_row, to, c_row);
            } else { /* the last columns end within a vector: by way of a whole tile */
                REAL edge[ROWS * PANEL] = {0};
                for (int row = 0; from && row < height; row++)
                    memcpy(edge + row * PANEL, from + row * start_row, width * sizeof(REAL));
                any_tile(height, vectors, depth, left, packed, edge, PANEL, edge, PANEL);
                for (int row = 0; row < height; row++)
                    memcpy(to + row * c_row, edge + row * PANEL, width * sizeof(REAL));
            }
        }
    }
}

/* Numbers that a packed [depth, columns] takes. */
static long packed_size(long depth, long columns) {
    return (columns + PANEL - 1) / PANEL * PANEL * depth;
}

/* From b [depth, columns] with rows `row` apart (which may be negative). */
static void pack(long depth, long columns, const REAL *b, long row, REAL *packed) {
    for (long j = 0; j < columns; j += PANEL) {
        long width = columns - j < PANEL ? columns - j : PANEL;
        for (long k = 0; k < depth; k++, packed += PANEL) {
            const REAL *from = b + k * row + j;
            if (width == PANEL) {
                UNROLL for (int v = 0; v < VECTORS; v++) store(packed + v * WIDTH, load(from + v * WIDTH));
            } else {
                memset(packed, 0, PANEL * sizeof(REAL));
                memcpy(packed, from, width * sizeof(REAL));
            }
        }
    }
}

/* to[j, i] = from[i, j] for a square block. */
enum { BLOCK = 8 };
INLINE void transpose_block(const REAL *from, long from_row, REAL *to, long to_row) {
    REAL block[BLOCK][BLOCK];
    UNROLL for (int i = 0; i < BLOCK; i++)
        UNROLL for (int j = 0; j < BLOCK; j++) block[j][i] = from[i * from_row + j];
    UNROLL for (int j = 0; j < BLOCK; j++) memcpy(to + j * to_row, block[j], sizeof block[j]);
}

/* to [columns, rows], rows of it `to_row` apart, from [rows, columns]. */
static void transpose_into(long rows, long columns, const REAL *from, long from_row, REAL *to, long to_row) {
    for (long i = 0; i < rows; i += BLOCK)
        for (long j = 0; j < columns; j += BLOCK) {
            if (i + BLOCK <= rows && j + BLOCK <= columns) {
                transpose_block(from + i * from_row + j, from_row, to + j * to_row + i, to_row);
                continue;
            }
            for (long k = i; k < i + BLOCK && k < rows; k++)
                for (long l = j; l < j + BLOCK && l < columns; l++) to[l * to_row + k] = from[k * from_row + l];
        }
}

/* From the transpose of w [columns, depth], contiguous. */
static void pack_transposed(long depth, long columns, const REAL *w, REAL *packed) {
    for (long j = 0; j < columns; j += PANEL, packed += PANEL * depth) {
        long width = columns - j < PANEL ? columns - j : PANEL;
        if (width < PANEL) memset(packed, 0, (size_t)(PANEL * depth) * sizeof(REAL));
        transpose_into(width, depth, w + j * depth, depth, packed, PANEL);
    }
}
