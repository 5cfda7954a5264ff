// libgomp reads how long idle threads spin when it is loaded, and never again. Where a stock Lua requires the toolkit,
// nobody but this library, which does not need libgomp itself, can say so before.
#define _GNU_SOURCE
#include "loader.h"

#include <CAddressSpace.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char moduleName[] = "libMoonrailModule.so";

/// The path of the module in the directory of this library; false where it does not fit.
static int findModule(char *path, size_t room) {
    Dl_info self;
    if (dladdr((void *)&luaopen_moonrail, &self) == 0 || self.dli_fname == NULL) return 0;
    const char *slash = strrchr(self.dli_fname, '/');
    int directoryLength = slash == NULL ? 0 : (int)(slash - self.dli_fname + 1);
    int length = snprintf(path, room, "%.*s%s", directoryLength, self.dli_fname, moduleName);
    return length > 0 && (size_t)length < room;
}

int luaopen_moonrail(lua_State *L) {
    char path[4096], reason[256];
    // The module's libraries would hang while they load.
    if (address_space_is_short(reason, sizeof reason)) return lua_pushfstring(L, "moonrail: %s", reason), lua_error(L);
    if (!findModule(path, sizeof path))
        return lua_pushfstring(L, "moonrail: cannot find the place of %s", moduleName), lua_error(L);
    int isUnset = getenv("GOMP_SPINCOUNT") == NULL && getenv("OMP_WAIT_POLICY") == NULL;
    // As `IdleThreads` in Swift; taken back, because programs that the script starts are none of our business.
    if (isUnset) setenv("GOMP_SPINCOUNT", "20000", 1);
    void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (isUnset) unsetenv("GOMP_SPINCOUNT");
    if (module == NULL) return lua_pushfstring(L, "moonrail: %s", dlerror()), lua_error(L);
    lua_CFunction open = (lua_CFunction)dlsym(module, "luaopen_moonrail");
    if (open == NULL) return lua_pushfstring(L, "moonrail: %s", dlerror()), lua_error(L);
    return open(L);
}
