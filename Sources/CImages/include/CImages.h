// Decoding of PNG and JPEG by libpng and libjpeg-turbo: the only place that knows them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { cim_png, cim_jpeg, cim_unknown } cim_format;

// Bytes for a message, its end included.
enum { cim_message_size = 200 };

// What the first bytes say.
cim_format cim_recognize(const uint8_t *bytes, size_t count);

// The extents of a picture, from its header alone. 0, or -1 with `message`.
int cim_read_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message);

// The pixels as rows of R, G, B; alpha is laid on white. `target` has 3 · width · height bytes for the extents that
// cim_read_size gave. 0, or -1 with `message`, also for a picture that is cut off or damaged.
int cim_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message);

#ifdef __cplusplus
}
#endif
