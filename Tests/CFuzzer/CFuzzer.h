// The driver of libFuzzer, which the compiler's flag -sanitize=fuzzer links; the toolchain has no header of it.
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*attempt)(const uint8_t *bytes, size_t count));
