// Loops over blocked activations that no library offers and that need the widest vectors of the processor: each is
// compiled for AVX-512, AVX2 and the baseline, and chosen at run time.
//
// A tile is one block of channels of one image: `pixels` × `lanes` floats, lanes 8 or 16. Vectors
// "per lane" hold `lanes` floats. Nothing here allocates, and every function may run on many tiles at once.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ck_instruction_set { ck_baseline = 0, ck_avx2, ck_avx512 };

// The instruction set of the loops: the best one of the processor that neither the environment variable
// MOONRAIL_MAX_CPU_ISA (BASELINE, AVX2 with FMA, or AVX512_CORE) nor `ck_limit_instruction_set` forbids.
enum ck_instruction_set ck_instruction_set_in_use(void);
// From now on at most this one; for a library beside us that is limited itself.
void ck_limit_instruction_set(enum ck_instruction_set most);
// As the environment variable spells it.
const char *ck_instruction_set_name(enum ck_instruction_set);
// The value of MOONRAIL_MAX_CPU_ISA if it is no instruction set and so limits nothing, else NULL.
const char *ck_unknown_limit(void);

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

// A convolution on blocks of 8 channels, for processors with AVX2 and FMA. Input N×C×H×W and output N×O×P×Q are blocked,
// with zeros in the surplus channels. Where it is the gradient of the input of a convolution, its input is that one's
// gradient of the output, C are that one's outputs, and kernel, stride and padding are that one's.
typedef struct {
    long n, c, h, w, o, p, q, kh, kw, stride_h, stride_w, pad_top, pad_left;
    int is_gradient;
} ck_convolution;

// What follows the convolution: + bias (may be NULL), + what lies in y where `adds`, then max(y, slope · y), slope < 1,
// where `rectifies`.
typedef struct {
    const float *bias;
    int adds, rectifies;
    float slope;
} ck_epilogue;

// A way to compute convolutions. The output is cut into tiles, on which threads work by themselves.
typedef struct {
    const char *name;
    int (*fits)(const ck_convolution *);
    long (*tile_count)(const ck_convolution *);
    // Floats that packed weights take, and that the work on any number of tiles needs.
    size_t (*weight_count)(const ck_convolution *);
    size_t (*scratch_count)(const ck_convolution *);

    // Packs W[O, C, KH, KW], or for a gradient W[C, O, KH, KW].
    void (*pack)(const ck_convolution *, const float *weights, float *packed);

    // Some tiles and blocks of 8 outputs; the first block is even.
    void (*run)(const ck_convolution *, const float *x, const float *packed, const ck_epilogue *, float *y,
                float *scratch, long first_tile, long last_tile, long first_block, long last_block);

    // The gradient of the weights in two parts: some tiles' share, `weight_count` floats, then the sum of all shares,
    // which lie `stride` floats apart, as dW[O, C, KH, KW] for some blocks of outputs.
    void (*share_gradient)(const ck_convolution *, const float *x, const float *dy, float *du, float *scratch,
                           long first_tile, long last_tile);
    void (*sum_gradient)(const ck_convolution *, const float *du, size_t stride, int shares, float *dw,
                         long first_block, long last_block);
} ck_algorithm;

// Whether what both need, AVX2 and FMA, is in use.
int ck_convolutions_are_available(void);

// Winograd's F(4×4, 3×3), for which oneDNN has kernels for AVX-512 only, and F(4, 3), for which it has none: kernels of
// 3×3, 3×1 or 1×3 with stride 1, padding less than the kernel, and tiles of 4×4, 4×1 or 1×4 pixels.
extern const ck_algorithm ck_winograd;

// Matrix products on gathered pixels: kernels of up to 25 taps with strides 1 and 2; a tile is one pixel. Where a stride
// is 2, oneDNN is as fast with hundreds of channels, slower with few, and several times so in the gradient of the input.
extern const ck_algorithm ck_gathering;

#ifdef __cplusplus
}
#endif
