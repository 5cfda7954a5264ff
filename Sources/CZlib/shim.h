#include <zlib.h>

// `inflateInit2` is a macro that Swift cannot see.
static inline int moonrail_inflate_init(z_stream *stream, int windowBits) { return inflateInit2(stream, windowBits); }
