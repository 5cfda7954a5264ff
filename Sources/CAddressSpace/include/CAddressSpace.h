// Whether the libraries can start in the address space that the process may use.
#pragma once
#include <stddef.h>

/// Writes to `text`, which has `room` bytes, why they cannot, one sentence without a newline.
/// @return whether they cannot; `text` is left alone where they can.
int address_space_is_short(char *text, size_t room);
