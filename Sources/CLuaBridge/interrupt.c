// Stopping a script: the count hook, which sees interrupts and the instruction limit.
#include "internal.h"

static void countHook(lua_State *L, lua_Debug *activation) {
    (void)activation;
    MoonHost *host = moon_host(L);
    if (host == NULL) return;
    host->instructionCount += lua_gethookcount(L);
    MoonStop reason = MOON_STOP_NONE;
    if (moon_callbacks.isInterrupted(host->state)) reason = MOON_STOP_INTERRUPTED;
    else if (host->instructionLimit != 0 && host->instructionCount >= host->instructionLimit)
        reason = MOON_STOP_INSTRUCTION_LIMIT;
    if (reason == MOON_STOP_NONE) {
        // A coroutine that survived an earlier stop is still armed with 1.
        if (lua_gethookcount(L) != host->hookInterval) lua_sethook(L, countHook, LUA_MASKCOUNT, host->hookInterval);
        return;
    }
    // A flag alone would be swallowed by `pcall` in a loop: from now on every instruction raises again, here and in
    // the main coroutine, until the outermost call from Swift has returned.
    lua_sethook(L, countHook, LUA_MASKCOUNT, 1);
    host->isStopping = true;
    moon_mark_stopped(L);
    if (host->main != L) lua_sethook(host->main, countHook, LUA_MASKCOUNT, 1);
    moon_callbacks.pushStop(L, host->state, reason);
    lua_error(L);
}

void moon_arm_hook(lua_State *L, MoonHost *host) {
    if (host->hookInterval == 0) return;
    if (lua_gethook(L) == NULL) lua_sethook(L, countHook, LUA_MASKCOUNT, host->hookInterval);
}

void moon_restore_hook(lua_State *L, MoonHost *host) {
    if (host->hookInterval == 0 || lua_gethook(L) != countHook) return;
    host->isStopping = false;
    moon_clear_stopped(L);
    lua_sethook(L, countHook, LUA_MASKCOUNT, host->hookInterval);
    if (host->main != L && lua_gethook(host->main) == countHook)
        lua_sethook(host->main, countHook, LUA_MASKCOUNT, host->hookInterval);
}
