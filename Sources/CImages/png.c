// PNG through libpng, whose errors are long jumps that end here.
//
// Pixels come out as Pillow's convert("RGB") and torchvision give them: the samples that are stored, of 16 bits the upper
// eight, without alpha. Gamma, colour profiles and transparent colours change nothing.
#include "internal.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const uint8_t *bytes;
    size_t count, position;
    char *message;
    png_structp png;
    png_infop info;
} reading;

static void leave(png_structp png, png_const_charp text) {
    reading *state = png_get_error_ptr(png);
    snprintf(state->message, cim_message_size, "%.*s", cim_message_size - 1, text);
    png_longjmp(png, 1);
}

// Warnings are about pixels that are there; libpng fills up nothing without an error.
static void pass(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void take(png_structp png, png_bytep target, size_t count) {
    reading *state = png_get_io_ptr(png);
    if (count > state->count - state->position) png_error(png, "the file ends within the picture");
    memcpy(target, state->bytes + state->position, count);
    state->position += count;
}

static int begin(reading *state) {
    state->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, state, leave, pass);
    state->info = state->png == NULL ? NULL : png_create_info_struct(state->png);
    if (state->info != NULL) return 0;
    snprintf(state->message, cim_message_size, "no memory for libpng");
    png_destroy_read_struct(&state->png, NULL, NULL);
    return cim_damaged;
}

static int end(reading *state, int status) {
    png_destroy_read_struct(&state->png, &state->info, NULL);
    return status;
}

static void read_header(reading *state) {
    png_set_read_fn(state->png, state, take);
    png_read_info(state->png, state->info);
}

int cim_png_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message) {
    reading state = {.bytes = bytes, .count = count, .message = message};
    if (begin(&state) != 0) return cim_damaged;
    if (setjmp(png_jmpbuf(state.png))) return end(&state, cim_damaged);
    read_header(&state);
    // Neither is over 2^31 − 1, by the format.
    *width = (int32_t)png_get_image_width(state.png, state.info);
    *height = (int32_t)png_get_image_height(state.png, state.info);
    return end(&state, 0);
}

// Rows of 8-bit R, G, B, and where the picture is interlaced the number of passes over them.
static int prepare(reading *state) {
    png_structp png = state->png;
    png_byte colours = png_get_color_type(png, state->info);
    if (colours == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(png);
    if (colours == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, state->info) < 8) png_set_expand_gray_1_2_4_to_8(png);
    if (!(colours & PNG_COLOR_MASK_COLOR)) png_set_gray_to_rgb(png);
    png_set_strip_16(png);
    // The transparency of a palette comes with its colours.
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, state->info);
    return passes;
}

int cim_png_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message) {
    reading state = {.bytes = bytes, .count = count, .message = message};
    if (begin(&state) != 0) return cim_damaged;
    if (setjmp(png_jmpbuf(state.png))) return end(&state, cim_damaged);
    read_header(&state);
    if ((int32_t)png_get_image_width(state.png, state.info) != width
        || (int32_t)png_get_image_height(state.png, state.info) != height)
        png_error(state.png, "another size");
    int passes = prepare(&state);
    size_t stride = (size_t)3 * (size_t)width;
    if (png_get_rowbytes(state.png, state.info) != stride) png_error(state.png, "another number of colours");
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < height; y++) png_read_row(state.png, target + stride * (size_t)y, NULL);
    return end(&state, 0);
}
