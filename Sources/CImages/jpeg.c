// JPEG through libjpeg, whose errors are long jumps that end here.
#include "internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf place;
    char *message;
    // What the long jump ends with: cim_damaged or cim_unsupported.
    int status;
    // One row of four inks, of a picture for print.
    uint8_t *inks;
} error_manager;

static void leave(j_common_ptr info) {
    error_manager *manager = (error_manager *)info->err;
    char text[JMSG_LENGTH_MAX];
    (*info->err->format_message)(info, text);
    snprintf(manager->message, cim_message_size, "%.*s", cim_message_size - 1, text);
    switch (info->err->msg_code) {
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_PRECISION:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED: manager->status = cim_unsupported; break;
    default: manager->status = cim_damaged;
    }
    longjmp(manager->place, 1);
}

// These warnings mean that pixels were made up, as for a file that is cut off: an error here. The others tell of bytes
// that nothing needs, such as those a camera left before a marker, and Pillow and torchvision read on as well.
static void judge(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_ARITH_BAD_CODE:
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_JPEG_EOF:
    case JWRN_MUST_RESYNC: leave(info);
    }
}

static void begin(struct jpeg_decompress_struct *info, error_manager *manager, char *message) {
    memset(info, 0, sizeof *info);
    info->err = jpeg_std_error(&manager->base);
    manager->base.error_exit = leave;
    manager->base.emit_message = judge;
    manager->message = message;
    manager->status = cim_damaged;
    manager->inks = NULL;
}

static int end(struct jpeg_decompress_struct *info, error_manager *manager, int status) {
    jpeg_destroy_decompress(info);
    free(manager->inks);
    return status;
}

int cim_jpeg_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message) {
    struct jpeg_decompress_struct info;
    error_manager manager;
    begin(&info, &manager, message);
    if (setjmp(manager.place)) return end(&info, &manager, manager.status);
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    *width = (int32_t)info.image_width;
    *height = (int32_t)info.image_height;
    return end(&info, &manager, 0);
}

// The product of two shares of 255, rounded as Pillow does it.
static int share(int a, int b) {
    int product = a * b + 128;
    return (product + (product >> 8)) >> 8;
}

// A row of cyan, magenta, yellow and black as red, green and blue. As in every file of Adobe's programs, and in Pillow for
// all files, 255 is a place without ink.
static void mix(const uint8_t *inks, uint8_t *row, int32_t width) {
    for (int32_t x = 0; x < width; x++, inks += 4, row += 3) {
        int paper = inks[3];
        for (int c = 0; c < 3; c++) {
            int light = paper - share(255 - inks[c], paper);
            row[c] = (uint8_t)(light < 0 ? 0 : light);
        }
    }
}

int cim_jpeg_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message) {
    struct jpeg_decompress_struct info;
    error_manager manager;
    begin(&info, &manager, message);
    if (setjmp(manager.place)) return end(&info, &manager, manager.status);
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    int has_inks = info.num_components == 4;
    info.out_color_space = has_inks ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(&info);
    if ((int32_t)info.output_width != width || (int32_t)info.output_height != height
        || info.output_components != (has_inks ? 4 : 3)) {
        snprintf(message, cim_message_size, "another size or number of colours");
        return end(&info, &manager, cim_damaged);
    }
    size_t stride = (size_t)3 * (size_t)width;
    if (has_inks && (manager.inks = malloc((size_t)4 * (size_t)width)) == NULL) {
        snprintf(message, cim_message_size, "no memory for a row");
        return end(&info, &manager, cim_damaged);
    }
    while (info.output_scanline < info.output_height) {
        uint8_t *row = target + stride * info.output_scanline;
        JSAMPROW place = has_inks ? manager.inks : row;
        jpeg_read_scanlines(&info, &place, 1);
        if (has_inks) mix(manager.inks, row, width);
    }
    jpeg_finish_decompress(&info);
    return end(&info, &manager, 0);
}
