// Firewall around oneDNN: the only place that knows its version and its C++ interface.
//
// On processors with AVX2 only, Winograd's convolutions are our own (CKernels); they are primitives like the others.
//
// A primitive is created once from dims and formats, cached by the caller, and executed on raw pointers, by any number
// of threads at the same time; each calling thread has a team, a stream and an error text of its own. A step, which is
// bound to its pointers, belongs to one thread at a time. No C++ exception leaves: verbs return NULL or a non-zero
// status, and `cod_last_error` says why the calling thread's last one failed.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// How the channels of an activation N×C×H×W lie in memory.
// `cod_format_blocked` is N ⌈C/b⌉ H W b with the channel block b of this processor; surplus channels are zero.
// `cod_format_bfloat16` is channels-last in bfloat16; all others are float32.
enum cod_format { cod_format_plain = 0, cod_format_channels_last, cod_format_blocked, cod_format_bfloat16 };

enum cod_argument { cod_src = 0, cod_weights, cod_bias, cod_dst, cod_workspace, cod_diff_src, cod_diff_weights,
                    cod_diff_bias, cod_diff_dst, cod_argument_count };

enum cod_pass { cod_forward_inference = 0, cod_forward_training, cod_backward_data, cod_backward_weights };

// Functions of one element. alpha and beta mean: the slope of ReLU for what is negative; slope and offset of a line; lower
// and upper limit of clip; swish's factor inside the sigmoid; what elu tends to below zero, with its sign changed. Others
// ignore them.
enum cod_function { cod_no_function = 0, cod_relu, cod_line, cod_clip, cod_sigmoid, cod_tanh, cod_swish, cod_hard_swish,
                    cod_gelu, cod_gelu_tanh, cod_elu, cod_mish, cod_softplus };

typedef struct { enum cod_function function; float alpha, beta; } cod_activation;

typedef struct cod_primitive cod_primitive;

const char *cod_last_error(void);
const char *cod_version(void);
int cod_channel_block(void);
int cod_processor_count(void);
// The instruction set that oneDNN uses at most, such as AVX2 or AVX512_CORE_BF16: the processor's, or what the environment
// variable DNNL_MAX_CPU_ISA allows, which spells them so. Kernels of our own obey it too.
const char *cod_instruction_set(void);
// Whether this processor multiplies in bfloat16 (AVX-512 BF16).
int cod_has_bfloat16(void);
// Whether there are Winograd kernels for this processor: oneDNN's for AVX-512, our own for AVX2.
int cod_has_winograd(void);
// Threads of what the calling thread makes and runs from now on.
void cod_set_thread_count(int count);

// Whether this thread met or made a not-a-number in arithmetic, a maximum or an ordered comparison since it was last
// asked: the processor's note of invalid operations.
int cod_take_invalid(void);

// Runs body(context, thread, threadCount) on every thread of oneDNN's own OpenMP team.
void cod_parallel(void (*body)(void *context, int thread, int threadCount), void *context, int threadCount);

// Row-major C[m,n] = op(A) op(B) + beta C in float32; lda, ldb, ldc are row strides.
int cod_sgemm(char transA, char transB, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda, const float *b,
              int64_t ldb, float beta, float *c, int64_t ldc);

typedef struct {
    int64_t n, c, h, w;                  // input
    int64_t o, p, q;                     // output channels, rows, columns
    int64_t kh, kw, groups;
    int64_t stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right, dilation_h, dilation_w;
    int32_t has_bias, has_sum;           // has_sum: dst += conv before the activation (inference only)
    int32_t in_bfloat16;                 // where there is such a kernel; the formats tell (inference only)
    cod_activation activations[2];       // one after the other, after the sum
} cod_convolution;

cod_primitive *cod_convolution_create(const cod_convolution *shape, enum cod_pass pass);

typedef struct {
    int64_t n, c, h, w, p, q, kh, kw, stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right;
    enum cod_format format;
    int32_t is_max, counts_padding;
} cod_pooling;

cod_primitive *cod_pooling_create(const cod_pooling *shape, enum cod_pass pass);

// A function over every element of an N×C×H×W activation, which may be done in place.
cod_primitive *cod_activation_create(int64_t n, int64_t c, int64_t h, int64_t w, enum cod_format format,
                                     const cod_activation *activation);

// Between two formats of one N×C×H×W activation.
cod_primitive *cod_reorder_create(int64_t n, int64_t c, int64_t h, int64_t w, enum cod_format from, enum cod_format to);

void cod_primitive_destroy(cod_primitive *);
const char *cod_primitive_implementation(const cod_primitive *);
// The activation format an argument must have; weights are packed by `cod_primitive_pack` instead.
enum cod_format cod_primitive_format(const cod_primitive *, enum cod_argument);
size_t cod_primitive_bytes(const cod_primitive *, enum cod_argument);
size_t cod_primitive_scratch_bytes(const cod_primitive *);

// Weights between plain O(/g)·C/g·Kh·Kw order and what the primitive wants.
int cod_primitive_needs_packing(const cod_primitive *, enum cod_argument);
int cod_primitive_pack(cod_primitive *, enum cod_argument, const float *plain, void *packed);
int cod_primitive_unpack(cod_primitive *, enum cod_argument, const void *packed, float *plain);

// Executes with `pointers[argument]` for every argument it uses (others ignored) and a scratch buffer.
int cod_primitive_execute(cod_primitive *, void *const pointers[cod_argument_count], void *scratch);

// A primitive bound to fixed pointers, for programs that run again and again without looking anything up.
typedef struct cod_step cod_step;
cod_step *cod_step_create(cod_primitive *, void *const pointers[cod_argument_count], void *scratch);
// Moves one argument to another address.
void cod_step_rebind(cod_step *, enum cod_argument, void *pointer);
int cod_step_run(cod_step *);
void cod_step_destroy(cod_step *);

#ifdef __cplusplus
}
#endif
