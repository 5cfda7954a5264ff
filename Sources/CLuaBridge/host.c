// A state's life: allocator, opening, attaching, collection.
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

MoonCallbacks moon_callbacks;

void moon_install(MoonCallbacks callbacks) { moon_callbacks = callbacks; }

bool moon_has_room(const MoonHost *host, size_t byteCount) {
    size_t used = host->heapBytes + host->externalBytes;
    return used <= host->heapLimit && byteCount <= host->heapLimit - used;
}

/// Accounts every block, and refuses to grow over the limit or over what the system gives, which Lua answers with a
/// collection and then an error.
void *moon_allocate(void *context, void *block, size_t oldSize, size_t newSize) {
    MoonHost *host = context;
    size_t held = block == NULL ? 0 : oldSize;  // without a block, oldSize is a type tag
    if (newSize == 0) {
        free(block);
        host->heapBytes -= held;
        return NULL;
    }
    if (host->heapLimit != 0 && newSize > held && !moon_has_room(host, newSize - held)) {
        host->isShort = true;
        return NULL;
    }
    void *result = realloc(block, newSize);
    if (result == NULL) return newSize <= held ? block : NULL;  // Lua relies on shrinking never to fail
    host->heapBytes += newSize - held;
    return result;
}

/// Reached only where code broke the contract and called a raising function unprotected.
static int panic(lua_State *L) {
    const char *message = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "(no message)";
    fprintf(stderr, "moonrail: Lua error outside a protected call: %s\n", message);
    abort();
}

static const char hostKey = 0;

static void setHost(lua_State *L, MoonHost *host) {
    lua_pushlightuserdata(L, host);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &hostKey);
}

MoonHost *moon_host(lua_State *L) {
    lua_rawgetp(L, LUA_REGISTRYINDEX, &hostKey);
    MoonHost *host = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return host;
}

lua_State *moon_main_thread(lua_State *L) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    lua_State *main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main;
}

typedef struct OpenRequest {
    MoonHost *host;
    MoonOpening opening;
} OpenRequest;

static int openBody(lua_State *L) {
    OpenRequest *request = lua_touserdata(L, 1);
    setHost(L, request->host);
    if (request->opening.ignoresEnvironment) {
        lua_pushboolean(L, true);
        lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    }
    moon_open_libraries(L, request->host, request->opening.sandboxed);
    return 0;
}

/// Gathers the pieces of a warning, so that Swift sees whole messages. Without memory for all of it, it sees what there is.
static void warning(void *context, const char *piece, int continues) {
    MoonHost *host = context;
    if (host->warning == NULL && !continues && *piece == '@') {  // a control message, of which Lua knows two
        if (strcmp(piece, "@off") == 0) host->isQuiet = true;
        else if (strcmp(piece, "@on") == 0) host->isQuiet = false;
        return;
    }
    size_t count = strlen(piece);
    // One string may be many pieces of a message, which then says what there is room for.
    bool hasRoom = host->heapLimit == 0 || moon_has_room(host, host->warningLength + count);
    char *text = !hasRoom ? NULL : realloc(host->warning, host->warningLength + count + 1);
    if (text != NULL) {
        memcpy(text + host->warningLength, piece, count);
        host->warning = text;
        host->warningLength += count;
    }
    if (continues) return;
    if (!host->isQuiet && host->warning != NULL) moon_callbacks.warn(host->state, host->warning, host->warningLength);
    free(host->warning);
    host->warning = NULL;
    host->warningLength = 0;
}

lua_State *moon_open(MoonHost *host, MoonOpening opening) {
    lua_State *L = lua_newstate(moon_allocate, host);
    if (L == NULL) return NULL;
    host->main = L;
    lua_atpanic(L, panic);
    lua_setwarnf(L, warning, host);
    OpenRequest request = {host, opening};
    lua_pushcfunction(L, openBody);
    lua_pushlightuserdata(L, &request);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        lua_close(L);
        return NULL;
    }
    return L;
}

void moon_close(lua_State *L, MoonHost *host) {
    host->isClosing = true;
    lua_close(L);
}

static int attachBody(lua_State *L) {
    setHost(L, lua_touserdata(L, 1));
    return 0;
}

int moon_attach(lua_State *L, MoonHost *host) {
    host->main = moon_main_thread(L);
    lua_pushcfunction(L, attachBody);
    lua_pushlightuserdata(L, host);
    return lua_pcall(L, 1, 0, 0);
}

const char *moon_copyright(void) { return LUA_COPYRIGHT; }

int moon_registry_index(void) { return LUA_REGISTRYINDEX; }

/// The least number of newly charged bytes that is worth a collection.
static const size_t leastBatch = 64u << 20;

/// Where memory is limited, garbage must not fill it before anybody looks.
static size_t threshold(const MoonHost *host) {
    size_t batch = host->externalBytes > leastBatch ? host->externalBytes : leastBatch;
    return host->heapLimit != 0 && batch > host->heapLimit / 4 ? host->heapLimit / 4 : batch;
}

void moon_collect(lua_State *L) {
    MoonHost *host = moon_host(L);
    if (host != NULL) {
        host->pendingBytes = 0;
        host->isShort = false;
    }
    lua_gc(L, LUA_GCCOLLECT);
    if (host != NULL) host->collectionThreshold = threshold(host);
}

void moon_collect_if_due(lua_State *L, MoonHost *host) {
    if (host->pendingBytes >= host->collectionThreshold) moon_collect(L);
}

void moon_collect_after_error(lua_State *L, MoonHost *host) {
    if (host->isShort && !host->isClosing && !host->isStopping) moon_collect(L);
}

void moon_write_standard_error(const char *bytes, size_t count) {
    fwrite(bytes, 1, count, stderr);
    fputc('\n', stderr);
}
