// The coroutine library, `pcall` and `xpcall`, as far as stopping a script and memory that ran out ask for it.
//
// liblua runs a hook with hooks switched off, and an error raised in it leaves them off until a protected call of the
// same coroutine catches it. Three things would run script code in between, which nothing could stop any more: the
// message handler of `xpcall`, and `__close` of a coroutine's pending variables in `coroutine.close` and in the
// functions made by `coroutine.wrap`. None of them runs for a coroutine that the hook has stopped.
#include "internal.h"

/// The extra space of a coroutine that the hook has stopped holds this.
static char stopped;

static void **mark(lua_State *L) { return lua_getextraspace(L); }

void moon_mark_stopped(lua_State *L) { *mark(L) = &stopped; }

static bool isStopped(lua_State *L) { return *mark(L) == &stopped; }

void moon_clear_stopped(lua_State *L) { *mark(L) = NULL; }

// MARK: pcall and xpcall

/// What a caught error of memory gave up is to be had at once. Lua's own collection for want of memory runs no finalizers, so
/// what dead objects keep outside of its heap would go on counting.
static int finishAttempt(lua_State *L, int status, lua_KContext context) {
    (void)context;
    if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L);
    moon_collect_after_error(L, lua_touserdata(L, lua_upvalueindex(1)));
    lua_pushboolean(L, false);
    lua_insert(L, -2);
    return 2;
}

/// `pcall`; upvalue: the host.
static int attemptCall(lua_State *L) {
    luaL_checkany(L, 1);
    lua_pushboolean(L, true);
    lua_insert(L, 1);
    return finishAttempt(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finishAttempt), 0);
}

/// Upvalues: the script's handler, the host.
static int handleMessage(lua_State *L) {
    MoonHost *host = lua_touserdata(L, lua_upvalueindex(2));
    lua_settop(L, 1);
    if (host->isStopping) return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int finishCall(lua_State *L, int status, lua_KContext context) {
    (void)status;
    (void)context;
    if (!lua_toboolean(L, 1)) moon_collect_after_error(L, lua_touserdata(L, lua_upvalueindex(2)));
    return lua_gettop(L);
}

/// Upvalues: the original, the host.
static int protectedCall(lua_State *L) {
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushcclosure(L, handleMessage, 2);
    lua_replace(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, finishCall);
    return finishCall(L, LUA_OK, 0);
}

// MARK: coroutine

/// A new coroutine counts its instructions from zero, so many short ones would escape a limit: each costs a whole
/// interval in advance.
static lua_State *pushCoroutine(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    MoonHost *host = lua_touserdata(L, lua_upvalueindex(1));
    host->instructionCount += host->hookInterval;
    lua_State *coroutine = lua_newthread(L);
    moon_clear_stopped(coroutine);  // new threads copy the main one's extra space
    lua_pushvalue(L, 1);
    lua_xmove(L, coroutine, 1);
    return coroutine;
}

static int createCoroutine(lua_State *L) {
    pushCoroutine(L);
    return 1;
}

/// Resumes with the arguments on the stack of `L`; returns the number of results moved there, or -1 and the error.
static int resume(lua_State *L, lua_State *coroutine, MoonHost *host) {
    int count = lua_gettop(L);
    if (!lua_checkstack(coroutine, count)) return lua_pushliteral(L, "too many arguments to resume"), -1;
    lua_xmove(L, coroutine, count);
    MoonResumption resumption = {L, host->resumptions};
    host->resumptions = &resumption;
    int status = lua_resume(coroutine, L, count, &count);
    host->resumptions = resumption.outer;
    if (status != LUA_OK && status != LUA_YIELD) return lua_xmove(coroutine, L, 1), -1;
    if (!lua_checkstack(L, count + 1)) {
        lua_pop(coroutine, count);
        return lua_pushliteral(L, "too many results to resume"), -1;
    }
    lua_xmove(coroutine, L, count);
    return count;
}

/// Upvalue: the host.
static int resumeCoroutine(lua_State *L) {
    lua_State *coroutine = lua_tothread(L, 1);
    luaL_argexpected(L, coroutine != NULL, 1, "coroutine");
    lua_remove(L, 1);
    int count = resume(L, coroutine, lua_touserdata(L, lua_upvalueindex(1)));
    lua_pushboolean(L, count >= 0);
    if (count < 0) {
        count = 1;
        moon_collect_after_error(L, lua_touserdata(L, lua_upvalueindex(1)));
    }
    lua_insert(L, -(count + 1));
    return count + 1;
}

/// What `coroutine.wrap` returns; upvalues: the coroutine, the host. An error closes the coroutine and goes on to the caller.
static int runWrapped(lua_State *L) {
    lua_State *coroutine = lua_tothread(L, lua_upvalueindex(1));
    int count = resume(L, coroutine, lua_touserdata(L, lua_upvalueindex(2)));
    if (count >= 0) return count;
    int status = lua_status(coroutine);
    if (status != LUA_OK && status != LUA_YIELD && !isStopped(coroutine)) {
        status = lua_resetthread(coroutine);
        lua_xmove(coroutine, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrapCoroutine(lua_State *L) {
    pushCoroutine(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, runWrapped, 2);
    return 1;
}

/// Upvalue: the original.
static int closeCoroutine(lua_State *L) {
    lua_State *coroutine = lua_tothread(L, 1);
    if (coroutine != NULL && isStopped(coroutine) && lua_status(coroutine) > LUA_YIELD) {
        lua_pushboolean(L, false);
        lua_pushliteral(L, "the coroutine was stopped");
        return 2;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

void moon_make_stoppable(lua_State *L, MoonHost *host) {
    lua_pushlightuserdata(L, host);
    lua_pushcclosure(L, attemptCall, 1);
    lua_setglobal(L, "pcall");
    lua_getglobal(L, "xpcall");
    lua_pushlightuserdata(L, host);
    lua_pushcclosure(L, protectedCall, 2);
    lua_setglobal(L, "xpcall");
    lua_getglobal(L, "coroutine");
    lua_pushlightuserdata(L, host);
    lua_pushcclosure(L, createCoroutine, 1);
    lua_setfield(L, -2, "create");
    lua_pushlightuserdata(L, host);
    lua_pushcclosure(L, wrapCoroutine, 1);
    lua_setfield(L, -2, "wrap");
    lua_pushlightuserdata(L, host);
    lua_pushcclosure(L, resumeCoroutine, 1);
    lua_setfield(L, -2, "resume");
    lua_getfield(L, -1, "close");
    lua_pushcclosure(L, closeCoroutine, 1);
    lua_setfield(L, -2, "close");
    lua_pop(L, 1);
}
