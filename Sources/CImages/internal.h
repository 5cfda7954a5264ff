#pragma once

#include "include/CImages.h"

int cim_png_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message);
int cim_png_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message);
int cim_jpeg_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message);
int cim_jpeg_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message);
