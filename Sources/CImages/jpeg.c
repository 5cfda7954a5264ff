// JPEG through libjpeg, whose errors are long jumps that end here.
#include "internal.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf place;
    char *message;
} error_manager;

static void leave(j_common_ptr info) {
    error_manager *manager = (error_manager *)info->err;
    char text[JMSG_LENGTH_MAX];
    (*info->err->format_message)(info, text);
    snprintf(manager->message, cim_message_size, "%.*s", cim_message_size - 1, text);
    longjmp(manager->place, 1);
}

// A warning means that pixels were made up, as for a file that is cut off: an error here.
static void judge(j_common_ptr info, int level) {
    if (level < 0) leave(info);
}

static void begin(struct jpeg_decompress_struct *info, error_manager *manager, char *message) {
    info->err = jpeg_std_error(&manager->base);
    manager->base.error_exit = leave;
    manager->base.emit_message = judge;
    manager->message = message;
}

int cim_jpeg_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message) {
    struct jpeg_decompress_struct info;
    memset(&info, 0, sizeof info);
    error_manager manager;
    begin(&info, &manager, message);
    if (setjmp(manager.place)) {
        jpeg_destroy_decompress(&info);
        return -1;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    *width = (int32_t)info.image_width;
    *height = (int32_t)info.image_height;
    jpeg_destroy_decompress(&info);
    return 0;
}

int cim_jpeg_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message) {
    struct jpeg_decompress_struct info;
    memset(&info, 0, sizeof info);
    error_manager manager;
    begin(&info, &manager, message);
    if (setjmp(manager.place)) {
        jpeg_destroy_decompress(&info);
        return -1;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, count);
    jpeg_read_header(&info, TRUE);
    info.out_color_space = JCS_RGB;
    jpeg_start_decompress(&info);
    if ((int32_t)info.output_width != width || (int32_t)info.output_height != height || info.output_components != 3) {
        snprintf(message, cim_message_size, "another size or number of colours");
        jpeg_destroy_decompress(&info);
        return -1;
    }
    while (info.output_scanline < info.output_height) {
        JSAMPROW row = target + (size_t)3 * (size_t)width * info.output_scanline;
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    return 0;
}
