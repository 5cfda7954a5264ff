// Calls between the two languages: the trampoline into Swift, the protected call into Lua, tracebacks.
#include "internal.h"

// MARK: Tracebacks

static const char tracebackKey = 0;
static const char rethrownKey = 0;

static int trampoline(lua_State *L);

/// Whether the error that a message handler is looking at was raised by the trampoline.
static bool wasRaisedBySwift(lua_State *L) {
    lua_Debug raiser;
    if (!lua_getstack(L, 1, &raiser)) return false;
    lua_getinfo(L, "f", &raiser);
    bool isTrampoline = lua_tocfunction(L, -1) == trampoline;
    lua_pop(L, 1);
    return isTrampoline;
}

/// Keeps the traceback of the point where the error was raised. An error that comes back through Swift is met again
/// by the handler of every call further out; it keeps the traceback of its origin.
static int onError(lua_State *L) {
    if (moon_object(L, 1) != NULL) return 1;  // a Swift failure got its traceback when it was made
    MoonHost *host = moon_host(L);
    if (host != NULL && host->keepsTraceback) {
        host->keepsTraceback = false;
        lua_rawgetp(L, LUA_REGISTRYINDEX, &rethrownKey);
        if (lua_rawequal(L, 1, -1) && wasRaisedBySwift(L)) return lua_settop(L, 1), 1;
        lua_settop(L, 1);
    }
    luaL_traceback(L, L, NULL, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tracebackKey);
    return 1;
}

int moon_protect(lua_State *L, int argumentCount, int resultCount) {
    int function = lua_gettop(L) - argumentCount;
    lua_pushcfunction(L, onError);
    lua_insert(L, function);
    int status = lua_pcall(L, argumentCount, resultCount, function);
    lua_remove(L, function);
    return status;
}

void moon_take_traceback(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &tracebackKey) == LUA_TNIL) return;
    lua_pushnil(L);  // the key exists, so this does not allocate
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tracebackKey);
}

static int keepBody(lua_State *L) {  // error value, traceback
    lua_rawsetp(L, LUA_REGISTRYINDEX, &tracebackKey);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &rethrownKey);
    return 0;
}

int moon_keep_traceback(lua_State *L, MoonHost *host) {
    lua_pushcfunction(L, keepBody);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    int status = lua_pcall(L, 2, 0, 0);
    if (status == LUA_OK) lua_pop(L, 1);
    else lua_remove(L, -2);
    host->keepsTraceback = status == LUA_OK;
    return status;
}

static int tracebackBody(lua_State *L) {
    luaL_traceback(L, L, NULL, 1);
    return 1;
}

int moon_push_traceback(lua_State *L) {
    lua_pushcfunction(L, tracebackBody);
    return lua_pcall(L, 0, 1, 0);
}

// MARK: Swift calls Lua

int moon_call(lua_State *L, MoonHost *host, int argumentCount, int resultCount) {
    host->keepsTraceback = false;
    if (host->callDepth++ == 0) {
        host->instructionCount = 0;
        moon_arm_hook(L, host);
    }
    int status = moon_protect(L, argumentCount, resultCount);
    if (--host->callDepth == 0) moon_restore_hook(L, host);
    return status;
}

// MARK: Lua calls Swift

typedef struct Function {
    void *box;
    MoonHost *host;
    /// What it keeps outside of Lua's heap.
    size_t byteCount;
} Function;

/// The only C function through which a script enters Swift. Collection is safe here: no Swift frame is below.
static int trampoline(lua_State *L) {
    Function *function = lua_touserdata(L, lua_upvalueindex(1));
    if (function == NULL || function->box == NULL) return luaL_error(L, "the function was closed");
    function->host->keepsTraceback = false;
    moon_collect_if_due(L, function->host);
    int32_t count = moon_callbacks.enter(L, function->box);
    if (count < 0) return lua_error(L);
    return count;
}

static int collectFunction(lua_State *L) {
    Function *function = lua_touserdata(L, 1);
    if (function == NULL || function->box == NULL) return 0;
    void *box = function->box;
    function->box = NULL;
    function->host->externalBytes -= function->byteCount;
    moon_callbacks.release(box);
    return 0;
}

static int functionBody(lua_State *L) {
    Function *request = lua_touserdata(L, 1);
    if (request->host->isClosing) return luaL_error(L, "the Lua state is closing");
    moon_require_room(L, request->host, request->byteCount);
    Function *function = lua_newuserdatauv(L, sizeof *function, 0);
    *function = (Function){NULL, request->host, request->byteCount};
    if (luaL_newmetatable(L, "moonrail.function")) {
        lua_pushcfunction(L, collectFunction);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    lua_pushcclosure(L, trampoline, 1);
    function->box = request->box;  // owned only now that nothing can fail any more
    request->host->externalBytes += request->byteCount;
    request->host->pendingBytes += request->byteCount;
    return 1;
}

int moon_push_function(lua_State *L, MoonHost *host, void *box, size_t byteCount) {
    Function request = {box, host, byteCount};
    lua_pushcfunction(L, functionBody);
    lua_pushlightuserdata(L, &request);
    return lua_pcall(L, 1, 1, 0);
}
