// Protected twins of the calls that make and read values.
#include "internal.h"

typedef struct Bytes {
    const void *start;
    size_t count;
} Bytes;

static int stringBody(lua_State *L) {
    Bytes *text = lua_touserdata(L, 1);
    lua_pushlstring(L, text->start, text->count);
    return 1;
}

int moon_push_string(lua_State *L, const char *bytes, size_t count) {
    Bytes request = {bytes, count};
    lua_pushcfunction(L, stringBody);
    lua_pushlightuserdata(L, &request);
    return lua_pcall(L, 1, 1, 0);
}

static int tableBody(lua_State *L) {
    lua_createtable(L, (int)lua_tointeger(L, 1), (int)lua_tointeger(L, 2));
    return 1;
}

int moon_push_table(lua_State *L, int arrayCount, int fieldCount) {
    lua_pushcfunction(L, tableBody);
    lua_pushinteger(L, arrayCount);
    lua_pushinteger(L, fieldCount);
    return lua_pcall(L, 2, 1, 0);
}

/// A size hint for lua_createtable, which takes an int.
static int hint(size_t count) { return count < 1u << 30 ? (int)count : 1 << 30; }

static int numbersBody(lua_State *L) {
    Bytes *values = lua_touserdata(L, 1);
    const double *numbers = values->start;
    lua_createtable(L, hint(values->count), 0);
    for (size_t i = 0; i < values->count; i++) {
        lua_pushnumber(L, numbers[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int moon_push_numbers(lua_State *L, const double *values, size_t count) {
    Bytes request = {values, count};
    lua_pushcfunction(L, numbersBody);
    lua_pushlightuserdata(L, &request);
    return lua_pcall(L, 1, 1, 0);
}

static int integersBody(lua_State *L) {
    Bytes *values = lua_touserdata(L, 1);
    const int64_t *integers = values->start;
    lua_createtable(L, hint(values->count), 0);
    for (size_t i = 0; i < values->count; i++) {
        lua_pushinteger(L, integers[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

int moon_push_integers(lua_State *L, const int64_t *values, size_t count) {
    Bytes request = {values, count};
    lua_pushcfunction(L, integersBody);
    lua_pushlightuserdata(L, &request);
    return lua_pcall(L, 1, 1, 0);
}

static int getBody(lua_State *L) {
    lua_gettable(L, 1);
    return 1;
}

int moon_get(lua_State *L) {
    lua_pushcfunction(L, getBody);
    lua_insert(L, -3);
    return moon_protect(L, 2, 1);
}

static int setBody(lua_State *L) {
    lua_settable(L, 1);
    return 0;
}

static int rawSetBody(lua_State *L) {
    lua_rawset(L, 1);
    return 0;
}

int moon_set(lua_State *L, bool raw) {
    lua_pushcfunction(L, raw ? rawSetBody : setBody);
    lua_insert(L, -4);
    return moon_protect(L, 3, 0);
}

static int nextBody(lua_State *L) {
    if (lua_next(L, 1)) return 2;
    lua_pushnil(L);
    lua_pushnil(L);
    return 2;
}

int moon_next(lua_State *L) {
    lua_pushcfunction(L, nextBody);
    lua_insert(L, -3);
    return lua_pcall(L, 2, 2, 0);
}

static int textBody(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

int moon_to_text(lua_State *L) {
    lua_pushcfunction(L, textBody);
    lua_insert(L, -2);
    return moon_protect(L, 1, 1);
}

static int lengthBody(lua_State *L) {
    lua_pushinteger(L, luaL_len(L, 1));
    return 1;
}

int moon_length(lua_State *L) {
    lua_pushcfunction(L, lengthBody);
    lua_insert(L, -2);
    return moon_protect(L, 1, 1);
}

static int referenceBody(lua_State *L) {
    lua_pushinteger(L, luaL_ref(L, LUA_REGISTRYINDEX));
    return 1;
}

int moon_reference(lua_State *L, int *reference) {
    lua_pushcfunction(L, referenceBody);
    lua_insert(L, -2);
    int status = lua_pcall(L, 1, 1, 0);
    if (status != LUA_OK) return status;
    *reference = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return LUA_OK;
}
