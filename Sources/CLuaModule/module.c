#include "module.h"

/// In Swift: pushes the module and returns 1, or pushes an error value and returns -1.
int moonrail_open(lua_State *L);

// C raises, Swift returns: the frame of `moonrail_open` is gone when `lua_error` jumps.
int luaopen_moonrail(lua_State *L) {
    int count = moonrail_open(L);
    return count < 0 ? lua_error(L) : count;
}
