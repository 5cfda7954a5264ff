// The entry of the dynamic library that a stock Lua 5.4 loads.
#pragma once

#include <lua.h>

/// What `require "moonrail"` calls. Raises the error that kept the toolkit from loading.
int luaopen_moonrail(lua_State *L);
