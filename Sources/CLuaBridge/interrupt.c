// Stopping a script: the hook, which sees interrupts and the instruction limit, and beside it the hooks that scripts set.
//
// Lua has one hook for each coroutine. Ours stays in it for ever and calls what `debug.sethook` was given, so that a profiler
// or a coverage tool does not take Ctrl-C away, and `debug.gethook` shows the script its own hook only.
#include "internal.h"

#include <limits.h>
#include <string.h>

/// The registry's table from coroutines, which it does not keep alive, to the hooks that scripts set in them.
static const char scriptHooksKey = 0;

/// A hook of a script; its function is the user value.
typedef struct ScriptHook {
    /// The events that were asked for, and instructions between two events "count"; 0 where none are wanted.
    int mask, count;
    /// Instructions since the last event "count".
    int64_t passed;
} ScriptHook;

static void onHook(lua_State *L, lua_Debug *activation);

/// Pushes the hook that a script set in the coroutine `of`, or nil. Needs three free slots; never raises.
static ScriptHook *pushScriptHook(lua_State *L, lua_State *of) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &scriptHooksKey) != LUA_TTABLE) return NULL;
    if (L == of) {
        lua_pushthread(L);
    } else {
        lua_pushthread(of);
        lua_xmove(of, L, 1);
    }
    lua_rawget(L, -2);
    lua_remove(L, -2);
    return lua_touserdata(L, -1);
}

/// Arms our hook in the coroutine `of`, with the events that its script wants beside our own.
static void arm(lua_State *L, lua_State *of, const MoonHost *host) {
    int mask = LUA_MASKCOUNT, count = host->hookInterval;
    if (host->hasScriptHooks && lua_checkstack(of, 1)) {
        ScriptHook *script = pushScriptHook(L, of);
        if (script != NULL) {
            mask |= script->mask;
            if (script->count > 0 && script->count < count) count = script->count;
        }
        lua_pop(L, 1);
    }
    lua_sethook(of, onHook, mask, count);
}

/// A flag alone would be swallowed by `pcall` in a loop: from now on every instruction raises again, here and in the
/// coroutines that wait for this one, until the outermost call from Swift has returned.
static void stop(lua_State *L, MoonHost *host, MoonStop reason) {
    host->isStopping = true;
    lua_sethook(L, onHook, LUA_MASKCOUNT, 1);
    moon_mark_stopped(L);
    lua_sethook(host->main, onHook, LUA_MASKCOUNT, 1);
    for (MoonResumption *waiting = host->resumptions; waiting != NULL; waiting = waiting->outer)
        lua_sethook(waiting->coroutine, onHook, LUA_MASKCOUNT, 1);
    moon_callbacks.pushStop(L, host->state, reason);
    lua_error(L);
}

static void lookForStop(lua_State *L, MoonHost *host) {
    if (moon_callbacks.isInterrupted(host->state)) stop(L, host, MOON_STOP_INTERRUPTED);
    if (host->instructionLimit != 0 && host->instructionCount >= host->instructionLimit)
        stop(L, host, MOON_STOP_INSTRUCTION_LIMIT);
}

void moon_count_steps(lua_State *L, int count) {
    MoonHost *host = moon_host(L);
    if (host == NULL || host->hookInterval == 0) return;
    int64_t before = host->instructionCount;
    host->instructionCount += count;
    if (host->instructionCount / host->hookInterval != before / host->hookInterval) lookForStop(L, host);
}

static void countInstructions(lua_State *L, MoonHost *host) {
    host->instructionCount += lua_gethookcount(L);
    lookForStop(L, host);
    // A coroutine that survived an earlier stop is still armed with 1.
    if (lua_gethookcount(L) == 1 && host->hookInterval != 1) arm(L, L, host);
}

static void runScriptHook(lua_State *L, const lua_Debug *activation) {
    static const char *const names[] = {"call", "return", "line", "count", "tail call"};
    ScriptHook *script = pushScriptHook(L, L);
    bool isDue = script != NULL;
    if (isDue && activation->event == LUA_HOOKCOUNT) {
        script->passed += lua_gethookcount(L);
        isDue = script->count > 0 && script->passed >= script->count;
        if (isDue) script->passed = 0;
    }
    if (isDue) {
        lua_getiuservalue(L, -1, 1);
        lua_pushstring(L, names[activation->event]);
        if (activation->currentline >= 0) lua_pushinteger(L, activation->currentline);
        else lua_pushnil(L);
        lua_call(L, 2, 0);
    }
    lua_pop(L, 1);
}

static void onHook(lua_State *L, lua_Debug *activation) {
    MoonHost *host = moon_host(L);
    if (host == NULL) return;
    if (activation->event == LUA_HOOKCOUNT) countInstructions(L, host);
    if (host->hasScriptHooks) runScriptHook(L, activation);
}

void moon_arm_hook(lua_State *L, MoonHost *host) {
    if (host->hookInterval == 0) return;
    if (lua_gethook(L) == NULL) arm(L, L, host);
}

void moon_restore_hook(lua_State *L, MoonHost *host) {
    if (host->hookInterval == 0 || lua_gethook(L) != onHook) return;
    host->isStopping = false;
    moon_clear_stopped(L);
    arm(L, L, host);
    if (host->main != L && lua_gethook(host->main) == onHook) arm(L, host->main, host);
}

// MARK: debug.sethook and debug.gethook

/// The coroutine in argument 1, or the running one; `offset` is the number of arguments that it took.
static lua_State *coroutineArgument(lua_State *L, int *offset) {
    *offset = lua_isthread(L, 1) ? 1 : 0;
    return *offset == 1 ? lua_tothread(L, 1) : L;
}

static int eventMask(const char *letters, int count) {
    int mask = count > 0 ? LUA_MASKCOUNT : 0;
    if (strchr(letters, 'c') != NULL) mask |= LUA_MASKCALL;
    if (strchr(letters, 'r') != NULL) mask |= LUA_MASKRET;
    if (strchr(letters, 'l') != NULL) mask |= LUA_MASKLINE;
    return mask;
}

/// Pushes the table of hooks, made when it is first asked for.
static void pushHookTable(lua_State *L) {
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &scriptHooksKey) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_pushvalue(L, -1);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "_HOOKKEY");  // where Lua's own library keeps its hooks
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scriptHooksKey);
}

/// Upvalue: the host.
static int setHook(lua_State *L) {
    MoonHost *host = lua_touserdata(L, lua_upvalueindex(1));
    int offset;
    lua_State *coroutine = coroutineArgument(L, &offset);
    bool isCleared = lua_isnoneornil(L, offset + 1);
    lua_settop(L, offset + 3);
    const char *letters = isCleared ? "" : luaL_checkstring(L, offset + 2);
    if (!isCleared) luaL_checktype(L, offset + 1, LUA_TFUNCTION);
    lua_Integer count = isCleared ? 0 : luaL_optinteger(L, offset + 3, 0);
    if (!lua_checkstack(coroutine, 1)) return luaL_error(L, "the coroutine's stack is full");
    pushHookTable(L);
    lua_pushthread(coroutine);
    if (coroutine != L) lua_xmove(coroutine, L, 1);
    if (isCleared) {
        lua_pushnil(L);
    } else {
        ScriptHook *script = lua_newuserdatauv(L, sizeof *script, 1);
        script->count = count < 0 ? 0 : count > INT_MAX ? INT_MAX : (int)count;
        script->mask = eventMask(letters, script->count);
        script->passed = 0;
        lua_pushvalue(L, offset + 1);
        lua_setiuservalue(L, -2, 1);
    }
    lua_rawset(L, -3);
    host->hasScriptHooks = true;
    arm(L, coroutine, host);
    return 0;
}

static int getHook(lua_State *L) {
    int offset;
    lua_State *coroutine = coroutineArgument(L, &offset);
    lua_Hook hook = lua_gethook(coroutine);
    if (hook != NULL && hook != onHook) {
        lua_pushliteral(L, "external hook");
        return 1;
    }
    if (!lua_checkstack(coroutine, 1)) return luaL_error(L, "the coroutine's stack is full");
    ScriptHook *script = pushScriptHook(L, coroutine);
    if (script == NULL) {
        luaL_pushfail(L);
        return 1;
    }
    char letters[4] = "";
    size_t length = 0;
    if (script->mask & LUA_MASKCALL) letters[length++] = 'c';
    if (script->mask & LUA_MASKRET) letters[length++] = 'r';
    if (script->mask & LUA_MASKLINE) letters[length++] = 'l';
    lua_getiuservalue(L, -1, 1);
    lua_pushlstring(L, letters, length);
    lua_pushinteger(L, script->count);
    return 3;
}

void moon_share_hooks(lua_State *L, MoonHost *host) {
    if (lua_getglobal(L, "debug") == LUA_TTABLE) {
        lua_pushlightuserdata(L, host);
        lua_pushcclosure(L, setHook, 1);
        lua_setfield(L, -2, "sethook");
        lua_pushcfunction(L, getHook);
        lua_setfield(L, -2, "gethook");
    }
    lua_pop(L, 1);
}
