// What the processor notes about floating-point arithmetic.
#include "COneDNN.h"

#include <cfenv>

extern "C" int cod_take_invalid(void) {
    if (!std::fetestexcept(FE_INVALID)) return 0;
    std::feclearexcept(FE_INVALID);
    return 1;
}
