// All C between Swift and Lua. The contract:
//
// 1. C raises, Swift returns. liblua reports errors by longjmp, which must never cross a Swift frame. `moon_function`
//    pushes the only kind of lua_CFunction that enters Swift: its trampoline calls `MoonCallbacks.enter`, and where
//    that returned -1 raises the value on top of the stack, after the Swift frame is gone.
//
// 2. Calls that never raise are used from Swift directly (given stack room, and a value of the type named):
//      lua_absindex lua_checkstack lua_getmetatable lua_gettop lua_isinteger lua_pushboolean lua_pushinteger
//      lua_pushlightuserdata lua_pushnil lua_pushnumber lua_pushthread lua_pushvalue lua_rawequal lua_rawget
//      lua_rawgeti lua_rawgetp lua_rawlen lua_rotate lua_setmetatable lua_settop lua_status lua_toboolean lua_topointer
//      lua_setupvalue lua_touserdata lua_type lua_typename, luaL_unref on a live reference, luaL_loadbufferx (lua_load protects
//      itself), lua_tointegerx and lua_tonumberx on numbers, lua_tolstring on strings (on numbers it allocates),
//      moon_close.
//
// 3. Everything else can raise, if only for lack of memory, and has a twin here that runs under lua_pcall and returns
//    its status: LUA_OK with the results pushed, or an error status with exactly the error value pushed in their
//    stead. Twins take their operands from the top of the stack where they say so and consume them either way.
//    Swift makes sure of MOON_STACK_ROOM free slots before it calls one.
//
// 4. `moon_call` is the one place from which Swift runs Lua functions. It, and the twins that may meet a metamethod,
//    have a message handler that keeps the traceback in the registry for `moon_take_traceback`.
//
// 5. A state belongs to one thread. Nothing here locks.
#pragma once

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Free stack slots that Swift guarantees to a twin, beyond its operands.
#define MOON_STACK_ROOM 8

/// A coroutine that waits for one that it resumed.
typedef struct MoonResumption {
    lua_State *coroutine;
    struct MoonResumption *outer;
} MoonResumption;

/// What a state keeps beside Lua: accounts, limits and the way back to its Swift owner.
typedef struct MoonHost {
    /// The `LuaState` that owns this, unretained.
    void *state;
    lua_State *main;
    /// Bytes of the Lua heap, and the limit of these and `externalBytes` together (0: none). Unused where the allocator is a
    /// foreign one.
    size_t heapBytes, heapLimit;
    /// Bytes behind userdata; those charged since the last collection; and when the next one is due.
    size_t externalBytes, pendingBytes, collectionThreshold;
    /// Memory was refused since the last collection of ours.
    bool isShort;
    /// Instructions run since the outermost call began (in whole hook intervals), and their limit (0: none).
    int64_t instructionCount, instructionLimit;
    /// Instructions between two looks at the interrupt flag; 0 for no hook.
    int32_t hookInterval;
    /// Calls from Swift into Lua that have not returned yet.
    int32_t callDepth;
    /// The error being raised has the traceback that is already in the registry.
    bool keepsTraceback;
    /// A script has set a hook of its own.
    bool hasScriptHooks;
    /// The hook has stopped a script, and the outermost call has not returned yet.
    bool isStopping;
    /// `warn` was told "@off".
    bool isQuiet;
    /// What a warning that goes on has said so far.
    char *warning;
    size_t warningLength;
    /// The interpreter is closing: what it made now, it would not finalize any more.
    bool isClosing;
    /// Who waits for the running coroutine, innermost first.
    MoonResumption *resumptions;
} MoonHost;

/// Why a running script is stopped.
typedef enum MoonStop { MOON_STOP_NONE = 0, MOON_STOP_INTERRUPTED = 1, MOON_STOP_INSTRUCTION_LIMIT = 2 } MoonStop;

/// How C reaches Swift. None of these raises.
typedef struct MoonCallbacks {
    /// Runs the Swift function `box`; returns the number of results pushed, or -1 with an error value pushed.
    int32_t (*enter)(lua_State *L, void *box);
    /// Drops the retained reference to a Swift object.
    void (*release)(void *object);
    /// Whether the state's computation was asked to stop.
    bool (*isInterrupted)(void *state);
    /// Pushes the error value for a stop.
    void (*pushStop)(lua_State *L, void *state, int32_t reason);
    /// Text from `print`: 0, or 1 with an error value pushed where it could not be written.
    int32_t (*write)(lua_State *L, void *state, const char *bytes, size_t count);
    /// A whole message from `warn` or from an error in a finalizer.
    void (*warn)(void *state, const char *bytes, size_t count);
} MoonCallbacks;

/// Sets the way back to Swift; once, before any state is opened.
void moon_install(MoonCallbacks callbacks);

// MARK: States

typedef struct MoonOpening {
    bool sandboxed;
    /// Whether LUA_PATH and LUA_CPATH are left unread.
    bool ignoresEnvironment;
} MoonOpening;

/// Opens a state whose memory is accounted in `host`; NULL where the limit does not even hold the standard library.
lua_State *moon_open(MoonHost *host, MoonOpening opening);
/// Closes the state, running the finalizers of everything in it.
void moon_close(lua_State *L, MoonHost *host);
/// Makes `host` known to a state that someone else opened. A twin: status, nothing pushed on success.
int moon_attach(lua_State *L, MoonHost *host);
/// The host of the state, or NULL.
MoonHost *moon_host(lua_State *L);
lua_State *moon_main_thread(lua_State *L);
void moon_collect(lua_State *L);
/// Collects where enough bytes were charged since the last collection.
void moon_collect_if_due(lua_State *L, MoonHost *host);
int moon_registry_index(void);

// MARK: Calls

/// Calls the function below the `argumentCount` arguments on top of the stack; all of them are consumed.
int moon_call(lua_State *L, MoonHost *host, int argumentCount, int resultCount);
/// Pushes the traceback of the last failed call, or nil, and forgets it.
void moon_take_traceback(lua_State *L);
/// Keeps the string on top as the traceback of the error that is about to be raised again, and pops it. A twin.
int moon_keep_traceback(lua_State *L, MoonHost *host);
/// Twin: pushes the traceback of `L` as it stands.
int moon_push_traceback(lua_State *L);

// MARK: Functions and objects

typedef struct MoonObject {
    /// The metatable this was made with: a userdata is ours when it still has that very metatable.
    const void *metatable;
    /// One retained Swift object; NULL once closed.
    void *object;
    MoonHost *host;
    size_t byteCount;
} MoonObject;

/// What an object keeps outside of Lua's heap beside the bytes that it says: itself, and what describes its contents.
#define MOON_OBJECT_COST 256

/// Twin: makes sure that `byteCount` more bytes outside of Lua's heap are below the limit, by a collection where need be.
int moon_make_room(lua_State *L, MoonHost *host, size_t byteCount);
/// Whether Lua's heap, or what objects keep outside of it, may grow by that many bytes.
bool moon_has_room(const MoonHost *host, size_t byteCount);
/// The object now keeps that many bytes, itself included.
void moon_object_recount(MoonObject *object, size_t byteCount);

/// Twin: pushes a function that enters Swift with `box`, which it now owns; on failure the caller still does.
/// `byteCount`: what the function keeps outside of Lua's heap.
int moon_push_function(lua_State *L, MoonHost *host, void *box, size_t byteCount);
/// Twin: pops methods, getters, setters, index fallback and newindex fallback (functions or nil), then pushes a
/// metatable with `__index`, `__newindex`, `__gc`, `__close` and `__eq` for objects of one class.
int moon_push_class(lua_State *L, const char *name, size_t count);
/// Twin: pushes a userdata of the class whose metatable has registry reference `metatable`; it now owns `object`.
int moon_push_object(lua_State *L, MoonHost *host, int metatable, void *object, size_t byteCount);

/// The object at `index`, or NULL for any other value. Needs one free slot; never raises.
MoonObject *moon_object(lua_State *L, int index);
/// Releases the Swift object now rather than at the next collection; harmless when done already.
void moon_object_close(MoonObject *object);

// MARK: Values (twins)

int moon_push_string(lua_State *L, const char *bytes, size_t count);
int moon_push_table(lua_State *L, int arrayCount, int fieldCount);
int moon_push_numbers(lua_State *L, const double *values, size_t count);
int moon_push_integers(lua_State *L, const int64_t *values, size_t count);
/// Pops a key and a table, pushes `table[key]`, honouring `__index`.
int moon_get(lua_State *L);
/// Pops a value, a key and a table, and sets `table[key]`, honouring `__newindex` unless `raw`.
int moon_set(lua_State *L, bool raw);
/// Pops a key and a table; pushes the next key and value, or two nils at the end.
int moon_next(lua_State *L);
/// Pops a value, pushes its text as `tostring` gives it.
int moon_to_text(lua_State *L);
/// Pops a value, pushes its length, honouring `__len`.
int moon_length(lua_State *L);
/// Pops a value and gives its registry reference.
int moon_reference(lua_State *L, int *reference);

// MARK: Arrays (of the table at `index`; these need three free slots and never raise)

/// How many elements stand at 1, 2, … before the first nil.
int64_t moon_leading_count(lua_State *L, int index);
/// The number n of integer keys where they are 1…n, else -1 and one that is beyond the first gap or below 1.
int64_t moon_array_count(lua_State *L, int index, int64_t *stray);
/// Reads elements 1…count as numbers, or as integers and numbers without a fraction; returns how many of them came
/// before the first that is none.
size_t moon_read_numbers(lua_State *L, int index, double *values, size_t count);
size_t moon_read_integers(lua_State *L, int index, int64_t *values, size_t count);

// MARK: Modules and chunks

/// Pops a function `(what, name)` that raises, and pushes an environment in front of the global table which calls it where
/// a name is read that nothing declared ("unknown"), or declared inside a function ("new inside a function"), or where
/// `fixed` at all ("new"). A twin.
int moon_push_environment(lua_State *L, bool fixed);

/// Pushes the chunk in the file at `path`, or on standard input where that is NULL, compiled as `lua` does: a byte-order
/// mark and a first line that begins with `#` are passed over. A twin.
int moon_push_file(lua_State *L, const char *path, const char *mode);
/// Pops a text and a chunk name, pushes a function that compiles and runs that text with its arguments. A twin.
int moon_push_lazy_chunk(lua_State *L);

// MARK: The process

/// Lua's version and authors.
const char *moon_copyright(void);
/// Gives this thread a decimal point in numbers, whatever the locale of the process says, and returns the locale that it
/// had; NULL where there is no memory for one.
void *moon_use_decimal_point(void);
/// Gives this thread back the locale that moon_use_decimal_point returned.
void moon_restore_locale(void *previous);

/// Writes a line to standard error, which Swift 6 cannot name.
void moon_write_standard_error(const char *bytes, size_t count);
