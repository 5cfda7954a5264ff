// The locale of numbers. A script or a host may have set one with decimal commas, which belong on no file.
#include "internal.h"

#include <locale.h>

void *moon_use_decimal_point(void) {
    locale_t previous = uselocale((locale_t)0);
    locale_t own = duplocale(previous);
    if (own == (locale_t)0) return NULL;
    locale_t plain = newlocale(LC_NUMERIC_MASK, "C", own);
    if (plain == (locale_t)0) {
        freelocale(own);
        return NULL;
    }
    uselocale(plain);
    return previous;
}

void moon_restore_locale(void *previous) {
    locale_t used = uselocale(previous);
    if (used != LC_GLOBAL_LOCALE && used != previous) freelocale(used);
}
