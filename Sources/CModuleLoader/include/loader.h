// The small library that a stock Lua 5.4 loads as `moonrail.so`.
#pragma once

#include <lua.h>

/// What `require "moonrail"` calls: loads `libMoonrailModule.so`, which lies beside this library, and hands over to it.
/// Raises an error where that is missing or does not load.
int luaopen_moonrail(lua_State *L);
