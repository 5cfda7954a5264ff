// The standard libraries as a host offers them: captured output, and in a sandbox what cannot do harm.
#include "internal.h"

#include <limits.h>
#include <string.h>

static int print(lua_State *L) {
    MoonHost *host = moon_host(L);
    int count = lua_gettop(L);
    luaL_Buffer line;
    luaL_buffinit(L, &line);
    for (int i = 1; i <= count; i++) {
        if (i > 1) luaL_addchar(&line, '\t');
        luaL_tolstring(L, i, NULL);
        luaL_addvalue(&line);
    }
    luaL_addchar(&line, '\n');
    luaL_pushresult(&line);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    return moon_callbacks.write(L, host->state, text, length) == 0 ? 0 : lua_error(L);
}

// MARK: load

/// What `load` reads from; upvalue: the script's function, of which one in C could give pieces for ever.
static int readPiece(lua_State *L) {
    moon_count_steps(L, 1);
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_call(L, 0, 1);
    return 1;
}

/// Upvalue: the original.
static int loadChunk(lua_State *L) {
    if (lua_type(L, 1) == LUA_TFUNCTION) {
        lua_pushvalue(L, 1);
        lua_pushcclosure(L, readPiece, 1);
        lua_replace(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

// MARK: Sandbox

/// Compiled chunks can crash the interpreter, so a sandbox loads text only. Calls the original function (upvalue 1) with the
/// mode argument (upvalue 2 is its position) set to "t".
static int loadText(lua_State *L) {
    int mode = (int)lua_tointeger(L, lua_upvalueindex(2));
    if (lua_gettop(L) < mode) lua_settop(L, mode);
    lua_pushliteral(L, "t");
    lua_replace(L, mode);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static void wrapLoader(lua_State *L, const char *name, int mode) {
    lua_getglobal(L, name);
    lua_pushinteger(L, mode);
    lua_pushcclosure(L, loadText, 2);
    lua_setglobal(L, name);
}

static int setSafeMetatable(lua_State *L) {
    if (lua_type(L, 2) == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");  // finalizers run without hooks: a loop in one could not be stopped
        if (lua_rawget(L, 2) != LUA_TNIL) return luaL_error(L, "'__gc' is not available in the sandbox");
        lua_pop(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int collectSafely(lua_State *L) {
    static const char *const allowed[] = {"collect", "count", "step", NULL};
    bool isCount = luaL_checkoption(L, 1, "collect", allowed) == 1;
    // A collection looks at the whole heap, which takes about as long as an instruction for every few bytes.
    size_t steps = isCount ? 0 : moon_host(L)->heapBytes >> 4;
    moon_count_steps(L, steps < INT_MAX ? (int)steps : INT_MAX);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static void wrapGlobal(lua_State *L, const char *name, lua_CFunction wrapper) {
    lua_getglobal(L, name);
    lua_pushcclosure(L, wrapper, 1);
    lua_setglobal(L, name);
}

/// Keeps only `names` in the library `name`.
static void keepOnly(lua_State *L, const char *name, const char *const *names) {
    lua_getglobal(L, name);
    lua_newtable(L);
    for (; *names != NULL; names++) {
        lua_getfield(L, -2, *names);
        lua_setfield(L, -2, *names);
    }
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    lua_setglobal(L, name);
    lua_pop(L, 1);
}

static void dropField(lua_State *L, const char *table, const char *field) {
    lua_getglobal(L, table);
    lua_pushnil(L);
    lua_setfield(L, -2, field);
    lua_pop(L, 1);
}

/// `require` finds preloaded modules and nothing on disk; `package` shows what is loaded.
static void closePackage(lua_State *L) {
    lua_getglobal(L, "package");
    static const char *const dropped[] = {"loadlib", "searchpath", "path", "cpath", "config", NULL};
    for (const char *const *name = dropped; *name != NULL; name++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *name);
    }
    lua_getfield(L, -1, "searchers");
    for (lua_Integer i = luaL_len(L, -1); i > 1; i--) {
        lua_pushnil(L);
        lua_seti(L, -2, i);
    }
    lua_pop(L, 2);
}

static void openSandbox(lua_State *L) {
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},         {LUA_LOADLIBNAME, luaopen_package}, {LUA_COLIBNAME, luaopen_coroutine},
        {LUA_TABLIBNAME, luaopen_table},   {LUA_STRLIBNAME, luaopen_string},   {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},   {LUA_OSLIBNAME, luaopen_os},
    };
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    keepOnly(L, "os", (const char *const[]){"clock", "date", "difftime", "time", NULL});
    dropField(L, "string", "dump");
    dropField(L, "_G", "loadfile");
    dropField(L, "_G", "dofile");
    closePackage(L);
    wrapGlobal(L, "setmetatable", setSafeMetatable);
    wrapGlobal(L, "collectgarbage", collectSafely);
    wrapLoader(L, "load", 3);
}

/// Methods of strings stay those of the library, whatever a script writes into the table `string` or into their metatable:
/// functions of the host that are written in Lua call them. What a script adds to `string` is a method as well.
static void protectStrings(lua_State *L) {
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_newtable(L);
    lua_getglobal(L, LUA_STRLIBNAME);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -6);
    }
    lua_createtable(L, 0, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

void moon_open_libraries(lua_State *L, MoonHost *host, bool sandboxed) {
    if (sandboxed) openSandbox(L);
    else luaL_openlibs(L);
    if (host->hookInterval != 0) {
        moon_make_stoppable(L, host);
        moon_share_hooks(L, host);
        moon_count_strings(L);
        moon_count_tables(L);
        wrapGlobal(L, "load", loadChunk);
    }
    if (sandboxed) protectStrings(L);
    lua_pushcfunction(L, print);
    lua_setglobal(L, "print");
}

// MARK: Files and modules in Lua

static int fileBody(lua_State *L) {
    if (luaL_loadfilex(L, lua_touserdata(L, 1), lua_touserdata(L, 2)) != LUA_OK) return lua_error(L);
    return 1;
}

int moon_push_file(lua_State *L, const char *path, const char *mode) {
    lua_pushcfunction(L, fileBody);
    lua_pushlightuserdata(L, (void *)path);
    lua_pushlightuserdata(L, (void *)mode);
    return lua_pcall(L, 2, 1, 0);
}

/// Compiles its text when it is first required. Upvalues: text, chunk name.
static int runLazyChunk(lua_State *L) {
    size_t length;
    const char *text = lua_tolstring(L, lua_upvalueindex(1), &length);
    if (luaL_loadbufferx(L, text, length, lua_tostring(L, lua_upvalueindex(2)), "t") != LUA_OK) return lua_error(L);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int lazyBody(lua_State *L) {
    lua_pushcclosure(L, runLazyChunk, 2);
    return 1;
}

int moon_push_lazy_chunk(lua_State *L) {
    lua_pushcfunction(L, lazyBody);
    lua_insert(L, -3);
    return lua_pcall(L, 2, 1, 0);
}
