// LuaBindingsTests
