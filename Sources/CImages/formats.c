#include "internal.h"

#include <stdio.h>
#include <string.h>

cim_format cim_recognize(const uint8_t *bytes, size_t count) {
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    if (count >= 8 && memcmp(bytes, png, 8) == 0) return cim_png;
    if (count >= 3 && bytes[0] == 0xFF && bytes[1] == 0xD8 && bytes[2] == 0xFF) return cim_jpeg;
    return cim_unknown;
}

static int refuse(char *message) {
    snprintf(message, cim_message_size, "neither PNG nor JPEG");
    return cim_unsupported;
}

int cim_read_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message) {
    switch (cim_recognize(bytes, count)) {
    case cim_png: return cim_png_size(bytes, count, width, height, message);
    case cim_jpeg: return cim_jpeg_size(bytes, count, width, height, message);
    default: return refuse(message);
    }
}

int cim_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message) {
    switch (cim_recognize(bytes, count)) {
    case cim_png: return cim_png_decode(bytes, count, width, height, target, message);
    case cim_jpeg: return cim_jpeg_decode(bytes, count, width, height, target, message);
    default: return refuse(message);
    }
}
