// Arrays that scripts pass: how many elements there are, and numbers read in one go.
//
// A border of a table, which `#t` and lua_rawlen give, is no count: 64 keys make a table whose border is 2^63 − 1. Here
// a length is the number of entries that were looked at. None of these raises: the keys given to lua_next are those
// that it gave, nothing runs in between, and lua_rawgeti on a table neither allocates nor calls metamethods.
#include "internal.h"

int64_t moon_leading_count(lua_State *L, int index) {
    lua_Integer count = 0;
    for (;; count++) {
        int type = lua_rawgeti(L, index, count + 1);
        lua_pop(L, 1);
        if (type == LUA_TNIL) return count;
    }
}

int64_t moon_array_count(lua_State *L, int index, int64_t *stray) {
    index = lua_absindex(L, index);
    lua_Integer count = 0, largest = 0;
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        if (!lua_isinteger(L, -1)) continue;
        lua_Integer key = lua_tointeger(L, -1);
        if (key < 1) {
            lua_pop(L, 1);
            *stray = key;
            return -1;
        }
        count++;
        if (key > largest) largest = key;
    }
    if (count == largest) return count;
    *stray = largest;
    return -1;
}

size_t moon_read_numbers(lua_State *L, int index, double *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int type = lua_rawgeti(L, index, (lua_Integer)i + 1);
        values[i] = type == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        lua_pop(L, 1);
        if (type != LUA_TNUMBER) return i;
    }
    return count;
}

size_t moon_read_integers(lua_State *L, int index, int64_t *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        // A string is none, though lua_tointegerx would take it for one.
        int isInteger = lua_rawgeti(L, index, (lua_Integer)i + 1) == LUA_TNUMBER;
        values[i] = isInteger ? lua_tointegerx(L, -1, &isInteger) : 0;
        lua_pop(L, 1);
        if (!isInteger) return i;
    }
    return count;
}
