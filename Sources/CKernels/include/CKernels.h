// Loops over blocked activations that no library offers and that need the widest vectors of the processor: each is
// compiled for AVX-512, AVX2 and the baseline, and chosen when the program starts.
//
// A tile is one block of channels of one image: `pixels` × `lanes` floats, lanes 8 or 16. Vectors
// "per lane" hold `lanes` floats. Nothing here allocates, and every function may run on many tiles at once.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

// Mean and sum of squared deviations of a tile, per lane. Each stretch of pixels that fits the first cache is read
// twice, so that no difference of large sums is taken; stretches are joined as Chan, Golub and LeVeque (1979) do.
void ck_moments(const float *x, long pixels, int lanes, float *mean, float *deviation);

// y = x · factor + offset (+ residual), then max(y, 0) where `rectify`. `residual` may be NULL; y may be any input.
void ck_normalize(const float *x, const float *residual, long pixels, int lanes, const float *factor,
                  const float *offset, int rectify, float *y);

// What decides which gradients ReLU lets through: nothing (there is none), the sign of x · factor + offset, or the
// sign of the output itself (needed where a residual was added).
enum ck_mask { ck_mask_none = 0, ck_mask_from_input, ck_mask_from_output };

typedef struct {
    const float *first, *second;   // the incoming gradient is their sum; second may be NULL
    const float *x, *y;            // input and output of the forward pass; y only for ck_mask_from_output
    const float *factor, *offset;  // per lane, those of the forward pass
    enum ck_mask mask;
} ck_gradient;

// Σ g and Σ g · (x − mean) per lane, with g = mask · (first + second), which is also stored in `g` unless that is NULL
// (it may be `first` or `second`).
void ck_gradient_sums(const ck_gradient *gradient, long pixels, int lanes, const float *mean, float *g, float *sums,
                      float *products);

// dx = g · a + x · b + c per lane, with g as above; dx may be `first` or `second`.
void ck_gradient_input(const ck_gradient *gradient, long pixels, int lanes, const float *a, const float *b,
                       const float *c, float *dx);

// Averages of the cells that split a tile of height × width pixels into rows × columns: cell (p, q) covers rows
// ⌊p·height/rows⌋ ..< ⌈(p+1)·height/rows⌉ and likewise columns. y is `used` × rows × columns, without surplus lanes.
void ck_adaptive_pool(const float *x, long height, long width, int lanes, long rows, long columns, int used, float *y);

// A convolution with a kernel of 3×3, 3×1 or 1×3 and stride 1, on blocks of 8 channels, for processors with AVX2 and FMA.
// Input N×C×H×W and output N×O×P×Q are blocked, with zeros in the surplus channels. Padding is less than the kernel.
typedef struct {
    long n, c, h, w, o, kh, kw, p, q, pad_top, pad_left;
} ck_convolution;

// What follows the convolution: + bias (may be NULL), + what lies in y where `adds`, then max(y, slope · y), slope < 1,
// where `rectifies`.
typedef struct {
    const float *bias;
    int adds, rectifies;
    float slope;
} ck_epilogue;

// By Winograd's F(4×4, 3×3), for which oneDNN has kernels for AVX-512 only, and F(4, 3), for which it has none: the output
// is cut into tiles of 4×4, 4×1 or 1×4 pixels.
int ck_winograd_is_available(void);
long ck_winograd_tile_count(const ck_convolution *shape);
// Floats that packed weights take, and that the work on any number of tiles needs.
size_t ck_winograd_weight_count(const ck_convolution *shape);
size_t ck_winograd_scratch_count(const ck_convolution *shape);

// Packs W[O, C, KH, KW], or where `turned`, W[C, O, KH, KW] of the convolution whose gradient of the input `shape` is.
void ck_winograd_pack(const ck_convolution *shape, const float *weights, int turned, float *packed);

// Some tiles and blocks of 8 outputs; the first block is even.
void ck_winograd_run(const ck_convolution *shape, const float *x, const float *packed, const ck_epilogue *epilogue,
                     float *y, float *scratch, long first_tile, long last_tile, long first_block, long last_block);

// The gradient of the weights in two parts: some tiles' share, `ck_winograd_weight_count` floats, then the sum of all
// shares, which lie `stride` floats apart, as dW[O, C, KH, KW] for some blocks of outputs.
void ck_winograd_gradient(const ck_convolution *shape, const float *x, const float *dy, float *du, float *scratch,
                          long first_tile, long last_tile);
void ck_winograd_finish_gradient(const ck_convolution *shape, const float *du, size_t stride, int shares, float *dw,
                                 long first_block, long last_block);

#ifdef __cplusplus
}
#endif
