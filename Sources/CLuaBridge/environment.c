// The environment of a person's own chunk, in which a global that nobody declared is an error.
//
// It is an empty table in front of the global table, so that modules and chunks that are loaded, whose environment is the
// global table itself, are ordinary Lua. Names are looked up in C, because a script does it all the time.
#include "internal.h"

enum { globalTable = 1, declaredNames = 2, complaint = 3, isFixed = 4 };

static int upvalue(int which) { return lua_upvalueindex(which); }

/// Calls the complaint, which raises, with what is wrong and the name.
static int complain(lua_State *L, const char *what) {
    lua_pushvalue(L, upvalue(complaint));
    lua_pushstring(L, what);
    lua_pushvalue(L, 2);
    lua_call(L, 2, 0);
    return 0;
}

static bool isDeclared(lua_State *L) {
    lua_pushvalue(L, 2);
    bool found = lua_rawget(L, upvalue(declaredNames)) != LUA_TNIL;
    lua_pop(L, 1);
    return found;
}

static int readGlobal(lua_State *L) {  // environment, name
    lua_pushvalue(L, 2);
    if (lua_gettable(L, upvalue(globalTable)) != LUA_TNIL || isDeclared(L)) return 1;
    return complain(L, "unknown");
}

/// Whether the name is written by a function in Lua: neither a chunk's own code nor C.
static bool isInsideFunction(lua_State *L) {
    lua_Debug writer;
    return lua_getstack(L, 1, &writer) && lua_getinfo(L, "S", &writer) && writer.what[0] == 'L';
}

static int writeGlobal(lua_State *L) {  // environment, name, value
    lua_pushvalue(L, 2);
    bool isKnown = lua_rawget(L, upvalue(globalTable)) != LUA_TNIL || isDeclared(L);
    lua_pop(L, 1);
    if (!isKnown) {
        if (lua_toboolean(L, upvalue(isFixed))) return complain(L, "new");
        if (isInsideFunction(L)) return complain(L, "new inside a function");
        lua_pushvalue(L, 2);
        lua_pushboolean(L, true);
        lua_rawset(L, upvalue(declaredNames));
    }
    lua_settop(L, 3);
    lua_settable(L, upvalue(globalTable));
    return 0;
}

static int listGlobals(lua_State *L) {
    lua_getglobal(L, "next");
    lua_pushvalue(L, upvalue(globalTable));
    lua_pushnil(L);
    return 3;
}

static void setMetamethod(lua_State *L, const char *name, lua_CFunction function) {
    for (int which = globalTable; which <= isFixed; which++) lua_pushvalue(L, which);
    lua_pushcclosure(L, function, isFixed);
    lua_setfield(L, -2, name);
}

static int environmentBody(lua_State *L) {  // complaint, whether the names are fixed
    lua_pushglobaltable(L);
    lua_insert(L, 1);
    lua_newtable(L);
    lua_insert(L, 2);
    lua_newtable(L);
    lua_createtable(L, 0, 4);
    setMetamethod(L, "__index", readGlobal);
    setMetamethod(L, "__newindex", writeGlobal);
    setMetamethod(L, "__pairs", listGlobals);
    lua_pushboolean(L, false);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
    return 1;
}

int moon_push_environment(lua_State *L, bool fixed) {
    lua_pushcfunction(L, environmentBody);
    lua_insert(L, -2);
    lua_pushboolean(L, fixed);
    return lua_pcall(L, 2, 1, 0);
}
