// Shared by the C files of the bridge; not for Swift.
#pragma once

#include "CLuaBridge.h"

extern MoonCallbacks moon_callbacks;

void *moon_allocate(void *context, void *block, size_t oldSize, size_t newSize);
/// Makes room below the limit for bytes outside of Lua's heap, by a collection where need be; raises where there is none.
void moon_require_room(lua_State *L, MoonHost *host, size_t byteCount);
void moon_arm_hook(lua_State *L, MoonHost *host);
void moon_restore_hook(lua_State *L, MoonHost *host);
/// Collects garbage after an error was caught, where memory had been refused: what the failed call held is garbage only now.
void moon_collect_after_error(lua_State *L, MoonHost *host);
/// Opens the standard libraries into the state; raises.
void moon_open_libraries(lua_State *L, MoonHost *host, bool sandboxed);
/// Replaces what would run script code while hooks are off; raises.
void moon_make_stoppable(lua_State *L, MoonHost *host);
/// Puts `debug.sethook` and `debug.gethook` beside our own hook; raises.
void moon_share_hooks(lua_State *L, MoonHost *host);
/// Puts functions that count their steps in the place of those of Lua's libraries that can run for very long; raise.
void moon_count_strings(lua_State *L);
void moon_count_tables(lua_State *L);
/// Counts steps of a function in C as instructions, and raises where the script is to stop.
void moon_count_steps(lua_State *L, int count);
void moon_mark_stopped(lua_State *L);
void moon_clear_stopped(lua_State *L);
/// lua_pcall with the message handler that keeps tracebacks.
int moon_protect(lua_State *L, int argumentCount, int resultCount);
