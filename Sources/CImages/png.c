// PNG through libpng's simplified interface, which catches libpng's long jumps itself.
#include "internal.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

static int fail(png_image *image, const char *fallback, char *message) {
    snprintf(message, cim_message_size, "%s", image->message[0] ? image->message : fallback);
    png_image_free(image);
    return -1;
}

static int begin(png_image *image, const uint8_t *bytes, size_t count, char *message) {
    memset(image, 0, sizeof *image);
    image->version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(image, bytes, count)) return fail(image, "not a PNG", message);
    if (image->width > INT32_MAX || image->height > INT32_MAX) return fail(image, "absurdly large", message);
    return 0;
}

int cim_png_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message) {
    png_image image;
    if (begin(&image, bytes, count, message)) return -1;
    *width = (int32_t)image.width;
    *height = (int32_t)image.height;
    png_image_free(&image);
    return 0;
}

int cim_png_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message) {
    png_image image;
    if (begin(&image, bytes, count, message)) return -1;
    if ((int32_t)image.width != width || (int32_t)image.height != height) return fail(&image, "another size", message);
    image.format = PNG_FORMAT_RGB;
    const png_color white = {255, 255, 255};
    if (!png_image_finish_read(&image, &white, target, 3 * width, NULL)) return fail(&image, "damaged", message);
    // Warnings are about pixels that are there; libpng fills up nothing without an error.
    png_image_free(&image);
    return 0;
}
