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

// What a call ends with that came to nothing, beside a message. A picture that is not damaged may be of a kind that the
// libraries do not decode.
enum { cim_damaged = -1, cim_unsupported = -2 };

// The extents of a picture, from its header alone. 0, or why not with `message`.
int cim_read_size(const uint8_t *bytes, size_t count, int32_t *width, int32_t *height, char *message);

// The pixels as rows of R, G, B, as Pillow's convert("RGB") gives them: of 16 bits the upper eight, without alpha, inks
// mixed; gamma, colour profiles and orientation are not followed. `target` has 3 · width · height bytes for the extents
// that cim_read_size gave. 0, or why not with `message`.
int cim_decode(const uint8_t *bytes, size_t count, int32_t width, int32_t height, uint8_t *target, char *message);

#ifdef __cplusplus
}
#endif
