// The functions of the library `table` that can run for longer than anybody waits, since a table may say any length. They do what
// Lua's do, and see a stop.
#include "internal.h"

#include <limits.h>

/// Elements between two looks at the request to stop.
enum { batch = 64 };

/// What a table that is none must have in the place of one.
enum { reads = 1, writes = 2, measures = 4 };

static bool hasMetafield(lua_State *L, int argument, const char *name) {
    if (luaL_getmetafield(L, argument, name) == LUA_TNIL) return false;
    lua_pop(L, 1);
    return true;
}

static void checkTable(lua_State *L, int argument, int uses) {
    if (lua_istable(L, argument)) return;
    bool isUsable = (!(uses & reads) || hasMetafield(L, argument, "__index"))
        && (!(uses & writes) || hasMetafield(L, argument, "__newindex"))
        && (!(uses & measures) || hasMetafield(L, argument, "__len"));
    if (!isUsable) luaL_checktype(L, argument, LUA_TTABLE);
}

static lua_Integer lengthArgument(lua_State *L, int uses) {
    checkTable(L, 1, uses | measures);
    return luaL_len(L, 1);
}

static int insert(lua_State *L) {
    lua_Integer end = (lua_Integer)((lua_Unsigned)lengthArgument(L, reads | writes) + 1), position = end;
    switch (lua_gettop(L)) {
    case 2: break;
    case 3:
        position = luaL_checkinteger(L, 2);
        luaL_argcheck(L, (lua_Unsigned)position - 1u < (lua_Unsigned)end, 2, "position out of bounds");
        for (lua_Integer i = end; i > position; i--) {
            if (i % batch == 0) moon_count_steps(L, batch);
            lua_geti(L, 1, i - 1);
            lua_seti(L, 1, i);
        }
        break;
    default: return luaL_error(L, "wrong number of arguments to 'insert'");
    }
    lua_seti(L, 1, position);
    return 0;
}

static int removeElement(lua_State *L) {
    lua_Integer size = lengthArgument(L, reads | writes), position = luaL_optinteger(L, 2, size);
    if (position != size)
        luaL_argcheck(L, (lua_Unsigned)position - 1u <= (lua_Unsigned)size, 1, "position out of bounds");
    lua_settop(L, 1);
    lua_geti(L, 1, position);
    for (; position < size; position++) {
        if (position % batch == 0) moon_count_steps(L, batch);
        lua_geti(L, 1, position + 1);
        lua_seti(L, 1, position);
    }
    lua_pushnil(L);
    lua_seti(L, 1, position);
    return 1;
}

static int move(lua_State *L) {
    lua_Integer first = luaL_checkinteger(L, 2), last = luaL_checkinteger(L, 3), target = luaL_checkinteger(L, 4);
    int to = lua_isnoneornil(L, 5) ? 1 : 5;
    checkTable(L, 1, reads);
    checkTable(L, to, writes);
    if (last >= first) {
        luaL_argcheck(L, first > 0 || last < LUA_MAXINTEGER + first, 3, "too many elements to move");
        lua_Integer count = last - first + 1;
        luaL_argcheck(L, target <= LUA_MAXINTEGER - count + 1, 4, "destination wrap around");
        bool isForward = target > last || target <= first || (to != 1 && !lua_compare(L, 1, to, LUA_OPEQ));
        for (lua_Integer i = 0; i < count; i++) {
            if (i % batch == 0) moon_count_steps(L, batch);
            lua_Integer offset = isForward ? i : count - 1 - i;
            lua_geti(L, 1, first + offset);
            lua_seti(L, to, target + offset);
        }
    }
    lua_pushvalue(L, to);
    return 1;
}

static int concat(lua_State *L) {
    lua_Integer last = lengthArgument(L, reads);
    size_t separatorLength;
    const char *separator = luaL_optlstring(L, 2, "", &separatorLength);
    lua_Integer first = luaL_optinteger(L, 3, 1);
    last = luaL_optinteger(L, 4, last);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    for (lua_Integer i = first; i <= last; i++) {
        if (i % batch == 0) moon_count_steps(L, batch);
        lua_geti(L, 1, i);
        if (!lua_isstring(L, -1))
            return luaL_error(
                L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1), (LUAI_UACINT)i);
        luaL_addvalue(&text);
        if (i == last) break;  // the greatest integer has no successor
        luaL_addlstring(&text, separator, separatorLength);
    }
    luaL_pushresult(&text);
    return 1;
}

// MARK: sort

typedef struct Sorting {
    lua_State *L;
    /// What picks the pivots of large ranges.
    unsigned random;
    /// Comparisons that were not yet accounted for.
    int comparisons;
} Sorting;

/// Whether the element at stack index `a` comes before the one at `b`; argument 2 may be a function that says so.
static bool isBefore(Sorting *sorting, int a, int b) {
    lua_State *L = sorting->L;
    if (++sorting->comparisons == batch) {
        sorting->comparisons = 0;
        moon_count_steps(L, batch);
    }
    if (lua_isnil(L, 2)) return lua_compare(L, a, b, LUA_OPLT);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, a - 1);
    lua_pushvalue(L, b - 2);
    lua_call(L, 2, 1);
    bool isTrue = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return isTrue;
}

/// Pops the values of elements i and j, which stand in this order, into the table the other way round.
static void exchange(lua_State *L, lua_Integer i, lua_Integer j) {
    lua_seti(L, 1, i);
    lua_seti(L, 1, j);
}

/// Puts the elements i < j in order.
static void orderPair(Sorting *sorting, lua_Integer i, lua_Integer j) {
    lua_State *L = sorting->L;
    lua_geti(L, 1, i);
    lua_geti(L, 1, j);
    if (isBefore(sorting, -1, -2)) exchange(L, i, j);
    else lua_pop(L, 2);
}

/// Splits the range around a pivot, which stands at `high - 1` and on top of the stack; returns where it belongs. An order that
/// contradicts itself runs out of the range, and that is an error.
static lua_Integer split(Sorting *sorting, lua_Integer low, lua_Integer high) {
    lua_State *L = sorting->L;
    lua_Integer i = low, j = high - 1;
    for (;;) {
        while (lua_geti(L, 1, ++i), isBefore(sorting, -1, -2)) {
            if (i == high - 1) luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
        }
        while (lua_geti(L, 1, --j), isBefore(sorting, -3, -1)) {
            if (j < i) luaL_error(L, "invalid order function for sorting");
            lua_pop(L, 1);
        }
        if (j < i) {
            lua_pop(L, 1);
            exchange(L, high - 1, i);
            return i;
        }
        exchange(L, i, j);
    }
}

/// Sorts the elements from `low` to `high`: the smaller part by a call, the larger one in the loop, so that calls go no deeper than the
/// logarithm of their number.
static void sortRange(Sorting *sorting, lua_Integer low, lua_Integer high) {
    lua_State *L = sorting->L;
    while (low < high) {
        orderPair(sorting, low, high);
        if (high - low == 1) return;
        // The middle; in a large range a place that nobody who makes the input can foretell.
        lua_Integer middle = low + (high - low) / 2;
        if (high - low > 100) {
            sorting->random = sorting->random * 1664525u + 1013904223u;
            lua_Integer quarter = (high - low) / 4;
            middle = low + quarter + (lua_Integer)(sorting->random % (lua_Unsigned)(2 * quarter));
        }
        orderPair(sorting, low, middle);
        orderPair(sorting, middle, high);
        if (high - low == 2) return;
        lua_geti(L, 1, middle);
        lua_pushvalue(L, -1);
        lua_geti(L, 1, high - 1);
        exchange(L, middle, high - 1);
        middle = split(sorting, low, high);
        if (middle - low < high - middle) {
            sortRange(sorting, low, middle - 1);
            low = middle + 1;
        } else {
            sortRange(sorting, middle + 1, high);
            high = middle - 1;
        }
    }
}

static int sort(lua_State *L) {
    lua_Integer count = lengthArgument(L, reads | writes);
    if (count > 1) {
        luaL_argcheck(L, count < INT_MAX, 1, "array too big");
        if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
        lua_settop(L, 2);
        luaL_checkstack(L, 40, "");
        Sorting sorting = {L, (unsigned)count ^ (unsigned)(uintptr_t)L, 0};
        sortRange(&sorting, 1, count);
    }
    return 0;
}

void moon_count_tables(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"insert", insert}, {"remove", removeElement}, {"move", move}, {"concat", concat}, {"sort", sort}, {NULL, NULL},
    };
    lua_getglobal(L, LUA_TABLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
