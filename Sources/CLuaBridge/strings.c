// The functions of the library `string` that can run for longer than anybody waits. They do what Lua's do, and see a stop.
#include "patterns.h"

#include <string.h>

// MARK: find and match

/// The place of argument 3, counted from 0; beyond the end where there is nothing to search.
static size_t startArgument(lua_State *L, size_t length) {
    lua_Integer position = luaL_optinteger(L, 3, 1);
    if (position > 0) return (size_t)position - 1;
    if (position == 0 || position < -(lua_Integer)length) return 0;
    return length + (size_t)position;
}

static bool isPlain(const char *pattern, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (pattern[i] != '\0' && strchr("^$*+?.([%-", pattern[i]) != NULL) return false;
    return true;
}

/// Where `text` stands first from `start` on, or NULL.
static const char *plainSearch(lua_State *L, const char *start, const char *end, const char *text, size_t length) {
    if (length == 0) return start;
    while ((size_t)(end - start) >= length) {
        const char *found = memchr(start, *text, (size_t)(end - start) - length + 1);
        if (found == NULL) return NULL;
        if (memcmp(found, text, length) == 0) return found;
        moon_count_steps(L, 1 + (int)(length >> 8));
        start = found + 1;
    }
    return NULL;
}

static int search(lua_State *L, bool isFind) {
    size_t length, patternLength;
    const char *subject = luaL_checklstring(L, 1, &length), *pattern = luaL_checklstring(L, 2, &patternLength);
    size_t start = startArgument(L, length);
    if (start > length) {
        luaL_pushfail(L);
        return 1;
    }
    if (isFind && (lua_toboolean(L, 4) || isPlain(pattern, patternLength))) {
        const char *found = plainSearch(L, subject + start, subject + length, pattern, patternLength);
        if (found == NULL) {
            luaL_pushfail(L);
            return 1;
        }
        lua_pushinteger(L, found - subject + 1);
        lua_pushinteger(L, found - subject + (lua_Integer)patternLength);
        return 2;
    }
    bool isAnchored = patternLength > 0 && *pattern == '^';
    MoonMatch match;
    moon_match_prepare(&match, L, subject, length, pattern, patternLength);
    const char *place = subject + start;
    do {
        match.captureCount = 0;
        const char *end = moon_match_at(&match, place, pattern + isAnchored);
        if (end == NULL) continue;
        if (!isFind) return moon_push_captures(&match, place, end);
        lua_pushinteger(L, place - subject + 1);
        lua_pushinteger(L, end - subject);
        return 2 + moon_push_captures(&match, NULL, NULL);
    } while (place++ < match.subjectEnd && !isAnchored);
    luaL_pushfail(L);
    return 1;
}

static int find(lua_State *L) { return search(L, true); }
static int match(lua_State *L) { return search(L, false); }

// MARK: gmatch

/// Where an iteration stands; its two strings are upvalues.
typedef struct Iteration {
    size_t place;
    /// The end of the match before, plus one: an empty match there is none.
    size_t lastEnd;
} Iteration;

static int nextMatch(lua_State *L) {
    size_t length, patternLength;
    const char *subject = lua_tolstring(L, lua_upvalueindex(1), &length);
    const char *pattern = lua_tolstring(L, lua_upvalueindex(2), &patternLength);
    Iteration *iteration = lua_touserdata(L, lua_upvalueindex(3));
    MoonMatch match;
    moon_match_prepare(&match, L, subject, length, pattern, patternLength);
    for (; iteration->place <= length; iteration->place++) {
        const char *place = subject + iteration->place;
        match.captureCount = 0;
        const char *end = moon_match_at(&match, place, pattern);
        if (end == NULL || (size_t)(end - subject) + 1 == iteration->lastEnd) continue;
        iteration->place = (size_t)(end - subject);
        iteration->lastEnd = iteration->place + 1;
        return moon_push_captures(&match, place, end);
    }
    return 0;
}

static int gmatch(lua_State *L) {
    size_t length;
    luaL_checklstring(L, 1, &length);
    luaL_checkstring(L, 2);
    size_t start = startArgument(L, length);
    lua_settop(L, 2);
    Iteration *iteration = lua_newuserdatauv(L, sizeof *iteration, 0);
    iteration->place = start > length ? length + 1 : start;
    iteration->lastEnd = 0;
    lua_pushcclosure(L, nextMatch, 3);
    return 1;
}

// MARK: gsub

/// Adds the replacement text in argument 3, with its `%` escapes.
static void addText(MoonMatch *match, luaL_Buffer *result, const char *start, const char *end) {
    lua_State *L = match->L;
    size_t length;
    const char *text = lua_tolstring(L, 3, &length), *last = text + length;
    while (text < last) {
        const char *escape = memchr(text, '%', (size_t)(last - text));
        if (escape == NULL) break;
        luaL_addlstring(result, text, (size_t)(escape - text));
        char follower = escape + 1 < last ? escape[1] : '\0';
        if (follower == '%') {
            luaL_addchar(result, '%');
        } else if (follower == '0') {
            luaL_addlstring(result, start, (size_t)(end - start));
        } else if (follower >= '1' && follower <= '9') {
            moon_push_capture(match, follower - '1', start, end);
            luaL_tolstring(L, -1, NULL);  // a position is a number
            lua_remove(L, -2);
            luaL_addvalue(result);
        } else {
            luaL_error(L, "invalid use of '%c' in replacement string", '%');
        }
        text = escape + 2;
    }
    if (text < last) luaL_addlstring(result, text, (size_t)(last - text));
}

/// Adds what stands for a match; returns whether it is another text than before.
static bool addReplacement(MoonMatch *match, luaL_Buffer *result, const char *start, const char *end, int type) {
    lua_State *L = match->L;
    if (type == LUA_TFUNCTION) {
        lua_pushvalue(L, 3);
        lua_call(L, moon_push_captures(match, start, end), 1);
    } else if (type == LUA_TTABLE) {
        moon_push_capture(match, 0, start, end);
        lua_gettable(L, 3);
    } else {
        addText(match, result, start, end);
        return true;
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(result, start, (size_t)(end - start));
        return false;
    }
    if (!lua_isstring(L, -1)) luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(result);
    return true;
}

static int gsub(lua_State *L) {
    size_t length, patternLength;
    const char *subject = luaL_checklstring(L, 1, &length), *pattern = luaL_checklstring(L, 2, &patternLength);
    int type = lua_type(L, 3);
    luaL_argexpected(
        L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3, "string/function/table");
    lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)length + 1), count = 0;
    bool isAnchored = patternLength > 0 && *pattern == '^', isChanged = false;
    MoonMatch match;
    moon_match_prepare(&match, L, subject, length, pattern, patternLength);
    luaL_Buffer result;
    luaL_buffinit(L, &result);
    const char *place = subject, *lastEnd = NULL;
    while (count < most) {
        match.captureCount = 0;
        const char *end = moon_match_at(&match, place, pattern + isAnchored);
        if (end != NULL && end != lastEnd) {
            count++;
            if (addReplacement(&match, &result, place, end, type)) isChanged = true;
            place = lastEnd = end;
        } else if (place < match.subjectEnd) {
            luaL_addchar(&result, *place++);
        } else {
            break;
        }
        if (isAnchored) break;
    }
    if (isChanged) {
        luaL_addlstring(&result, place, (size_t)(match.subjectEnd - place));
        luaL_pushresult(&result);
    } else {
        lua_pushvalue(L, 1);
    }
    lua_pushinteger(L, count);
    return 2;
}

// MARK: rep

/// Upvalue: Lua's own, which works for ever where there is nothing to repeat.
static int rep(lua_State *L) {
    size_t length, separatorLength;
    luaL_checklstring(L, 1, &length);
    luaL_checkinteger(L, 2);
    luaL_optlstring(L, 3, "", &separatorLength);
    if (length == 0 && separatorLength == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

void moon_count_strings(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"find", find}, {"match", match}, {"gmatch", gmatch}, {"gsub", gsub}, {NULL, NULL},
    };
    lua_getglobal(L, LUA_STRLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_getfield(L, -1, "rep");
    lua_pushcclosure(L, rep, 1);
    lua_setfield(L, -2, "rep");
    lua_pop(L, 1);
}
