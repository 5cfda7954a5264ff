// Userdata that hold one retained Swift object, and the metatables of their classes.
#include "internal.h"

MoonObject *moon_object(lua_State *L, int index) {
    if (lua_type(L, index) != LUA_TUSERDATA || lua_rawlen(L, index) != sizeof(MoonObject)) return NULL;
    MoonObject *object = lua_touserdata(L, index);
    if (!lua_getmetatable(L, index)) return NULL;
    const void *metatable = lua_topointer(L, -1);
    lua_pop(L, 1);
    return object->metatable == metatable ? object : NULL;
}

void moon_object_close(MoonObject *object) {
    void *held = object->object;
    if (held == NULL) return;
    object->object = NULL;
    MoonHost *host = object->host;
    size_t bytes = object->byteCount;
    host->externalBytes -= bytes < host->externalBytes ? bytes : host->externalBytes;
    moon_callbacks.release(held);
}

static int collectObject(lua_State *L) {
    MoonObject *object = moon_object(L, 1);
    if (object != NULL) moon_object_close(object);
    return 0;
}

/// Two userdata are equal when they hold the same Swift object.
static int equalObjects(lua_State *L) {
    MoonObject *a = moon_object(L, 1), *b = moon_object(L, 2);
    lua_pushboolean(L, a != NULL && b != NULL && a->object != NULL && a->object == b->object);
    return 1;
}

/// Upvalues: methods, getters, fallback.
static int indexObject(lua_State *L) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_call(L, 1, 1);
        return 1;
    }
    lua_settop(L, 2);
    lua_pushvalue(L, lua_upvalueindex(3));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/// Upvalues: setters, fallback.
static int assignObject(lua_State *L) {
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) {
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 3);
        lua_call(L, 2, 0);
        return 0;
    }
    lua_settop(L, 3);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_insert(L, 1);
    lua_call(L, 3, 0);
    return 0;
}

typedef struct ClassName {
    const char *bytes;
    size_t count;
} ClassName;

static int classBody(lua_State *L) {  // methods, getters, setters, index fallback, newindex fallback, name
    ClassName *name = lua_touserdata(L, 6);
    lua_createtable(L, 0, 16);
    lua_pushlstring(L, name->bytes, name->count);
    lua_pushvalue(L, -1);
    lua_setfield(L, 7, "__name");
    lua_setfield(L, 7, "__metatable");  // scripts see the name, and cannot reach __gc
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 4);
    lua_pushcclosure(L, indexObject, 3);
    lua_setfield(L, 7, "__index");
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 5);
    lua_pushcclosure(L, assignObject, 2);
    lua_setfield(L, 7, "__newindex");
    lua_pushcfunction(L, collectObject);
    lua_setfield(L, 7, "__gc");
    lua_pushcfunction(L, collectObject);
    lua_setfield(L, 7, "__close");
    lua_pushcfunction(L, equalObjects);
    lua_setfield(L, 7, "__eq");
    return 1;
}

int moon_push_class(lua_State *L, const char *name, size_t count) {
    ClassName request = {name, count};
    lua_pushcfunction(L, classBody);
    lua_insert(L, -6);
    lua_pushlightuserdata(L, &request);
    return lua_pcall(L, 6, 1, 0);
}

typedef struct ObjectRequest {
    MoonHost *host;
    void *object;
    size_t byteCount;
    int metatable;
} ObjectRequest;

void moon_require_room(lua_State *L, MoonHost *host, size_t byteCount) {
    if (host->heapLimit == 0 || moon_has_room(host, byteCount)) return;
    lua_gc(L, LUA_GCCOLLECT);
    if (moon_has_room(host, byteCount)) return;
    lua_newuserdatauv(L, byteCount, 0);  // refused by the allocator, which makes it Lua's own error of memory
    lua_pop(L, 1);
}

typedef struct RoomRequest {
    MoonHost *host;
    size_t byteCount;
} RoomRequest;

static int roomBody(lua_State *L) {
    RoomRequest *request = lua_touserdata(L, 1);
    moon_require_room(L, request->host, request->byteCount);
    return 0;
}

int moon_make_room(lua_State *L, MoonHost *host, size_t byteCount) {
    if (host->heapLimit == 0 || moon_has_room(host, byteCount)) return LUA_OK;
    RoomRequest request = {host, byteCount};
    lua_pushcfunction(L, roomBody);
    lua_pushlightuserdata(L, &request);
    return lua_pcall(L, 1, 0, 0);
}

void moon_object_recount(MoonObject *object, size_t byteCount) {
    MoonHost *host = object->host;
    if (byteCount > object->byteCount) host->pendingBytes += byteCount - object->byteCount;
    host->externalBytes += byteCount;
    host->externalBytes -= object->byteCount;
    object->byteCount = byteCount;
}

static int objectBody(lua_State *L) {
    ObjectRequest *request = lua_touserdata(L, 1);
    if (request->host->isClosing) return luaL_error(L, "the Lua state is closing");
    if (request->host->heapLimit != 0) request->byteCount += MOON_OBJECT_COST;
    moon_require_room(L, request->host, request->byteCount);
    MoonObject *object = lua_newuserdatauv(L, sizeof *object, 0);
    *object = (MoonObject){NULL, NULL, request->host, request->byteCount};
    lua_rawgeti(L, LUA_REGISTRYINDEX, request->metatable);
    object->metatable = lua_topointer(L, -1);
    lua_setmetatable(L, -2);
    object->object = request->object;  // owned only now that nothing can fail any more
    request->host->externalBytes += request->byteCount;
    request->host->pendingBytes += request->byteCount;
    return 1;
}

int moon_push_object(lua_State *L, MoonHost *host, int metatable, void *object, size_t byteCount) {
    ObjectRequest request = {host, object, byteCount, metatable};
    lua_pushcfunction(L, objectBody);
    lua_pushlightuserdata(L, &request);
    return lua_pcall(L, 1, 1, 0);
}
