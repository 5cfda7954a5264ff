// LuaBindings
