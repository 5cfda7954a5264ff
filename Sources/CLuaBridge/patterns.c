// The matcher of Lua's patterns (Lua 5.4 Reference Manual, 6.4.1), in which a stop and a limit on instructions are seen: the
// library's own matcher runs for years on a pattern that backtracks, and looks at nothing meanwhile.
#include "patterns.h"

#include <ctype.h>
#include <string.h>

/// As deep as Lua's own matcher goes.
static const int deepest = 200;

void moon_match_prepare(
    MoonMatch *match, lua_State *L, const char *subject, size_t length, const char *pattern, size_t patternLength) {
    match->L = L;
    match->subject = subject;
    match->subjectEnd = subject + length;
    match->patternEnd = pattern + patternLength;
    match->captureCount = 0;
    match->depth = deepest;
    match->steps = 0;
}

static void step(MoonMatch *match) {
    if (++match->steps < 256) return;
    moon_count_steps(match->L, match->steps);
    match->steps = 0;
}

// MARK: Single characters

/// The end of the item for a single character that begins at `item`.
static const char *itemEnd(const MoonMatch *match, const char *item) {
    char first = *item++;
    if (first == '%') {
        if (item == match->patternEnd) luaL_error(match->L, "malformed pattern (ends with '%%')");
        return item + 1;
    }
    if (first != '[') return item;
    if (item < match->patternEnd && *item == '^') item++;
    // A bracket that stands first is one of the set.
    do {
        if (item == match->patternEnd) luaL_error(match->L, "malformed pattern (missing ']')");
        if (*item++ == '%' && item < match->patternEnd) item++;
    } while (item >= match->patternEnd || *item != ']');
    return item + 1;
}

static bool isInClass(int c, int letter) {
    bool found;
    switch (tolower(letter)) {
    case 'a': found = isalpha(c); break;
    case 'c': found = iscntrl(c); break;
    case 'd': found = isdigit(c); break;
    case 'g': found = isgraph(c); break;
    case 'l': found = islower(c); break;
    case 'p': found = ispunct(c); break;
    case 's': found = isspace(c); break;
    case 'u': found = isupper(c); break;
    case 'w': found = isalnum(c); break;
    case 'x': found = isxdigit(c); break;
    case 'z': found = c == 0; break;
    default: return letter == c;
    }
    return isupper(letter) ? !found : found;
}

/// Whether `c` is in the set from the bracket at `set` to the one at `last`.
static bool isInSet(int c, const char *set, const char *last) {
    bool whenFound = true;
    set++;
    if (*set == '^') {
        whenFound = false;
        set++;
    }
    while (set < last) {
        if (*set == '%') {
            if (isInClass(c, (unsigned char)set[1])) return whenFound;
            set += 2;
        } else if (set[1] == '-' && set + 2 < last) {
            if ((unsigned char)set[0] <= c && c <= (unsigned char)set[2]) return whenFound;
            set += 3;
        } else {
            if ((unsigned char)*set == c) return whenFound;
            set++;
        }
    }
    return !whenFound;
}

/// Whether the character at `place` fits the item from `item` to `end`.
static bool fits(const MoonMatch *match, const char *place, const char *item, const char *end) {
    if (place >= match->subjectEnd) return false;
    int c = (unsigned char)*place;
    switch (*item) {
    case '.': return true;
    case '%': return isInClass(c, (unsigned char)item[1]);
    case '[': return isInSet(c, item, end - 1);
    default: return (unsigned char)*item == c;
    }
}

// MARK: Items

static const char *matchBalanced(MoonMatch *match, const char *place, const char *item) {
    if (item >= match->patternEnd - 1) luaL_error(match->L, "malformed pattern (missing arguments to '%%b')");
    if (place >= match->subjectEnd || *place != item[0]) return NULL;
    int open = 1;
    while (++place < match->subjectEnd) {
        step(match);
        if (*place == item[1]) {
            if (--open == 0) return place + 1;
        } else if (*place == item[0]) {
            open++;
        }
    }
    return NULL;
}

/// As many as fit, then ever fewer.
static const char *matchMost(MoonMatch *match, const char *place, const char *item, const char *end) {
    ptrdiff_t count = 0;
    while (fits(match, place + count, item, end)) {
        step(match);
        count++;
    }
    for (; count >= 0; count--) {
        const char *found = moon_match_at(match, place + count, end + 1);
        if (found != NULL) return found;
    }
    return NULL;
}

/// As few as do, then ever more.
static const char *matchFewest(MoonMatch *match, const char *place, const char *item, const char *end) {
    for (;;) {
        const char *found = moon_match_at(match, place, end + 1);
        if (found != NULL) return found;
        if (!fits(match, place, item, end)) return NULL;
        place++;
    }
}

static const char *beginCapture(MoonMatch *match, const char *place, const char *rest, ptrdiff_t kind) {
    int index = match->captureCount;
    if (index >= MOON_MOST_CAPTURES) luaL_error(match->L, "too many captures");
    match->captures[index].start = place;
    match->captures[index].length = kind;
    match->captureCount = index + 1;
    const char *found = moon_match_at(match, place, rest);
    if (found == NULL) match->captureCount--;
    return found;
}

static const char *endCapture(MoonMatch *match, const char *place, const char *rest) {
    int index = match->captureCount - 1;
    while (index >= 0 && match->captures[index].length != MOON_CAPTURE_OPEN) index--;
    if (index < 0) luaL_error(match->L, "invalid pattern capture");
    match->captures[index].length = place - match->captures[index].start;
    const char *found = moon_match_at(match, place, rest);
    if (found == NULL) match->captures[index].length = MOON_CAPTURE_OPEN;
    return found;
}

/// What an earlier capture holds, once more.
static const char *matchCapture(MoonMatch *match, const char *place, int digit) {
    int index = digit - '1';
    if (index < 0 || index >= match->captureCount || match->captures[index].length == MOON_CAPTURE_OPEN)
        luaL_error(match->L, "invalid capture index %%%d", index + 1);
    size_t length = (size_t)match->captures[index].length;
    if ((size_t)(match->subjectEnd - place) < length || memcmp(match->captures[index].start, place, length) != 0) return NULL;
    return place + length;
}

/// Whether the set behind `%f` begins at `place`.
static bool isFrontier(const MoonMatch *match, const char *place, const char *set, const char *end) {
    int before = place == match->subject ? 0 : (unsigned char)place[-1];
    int here = place == match->subjectEnd ? 0 : (unsigned char)*place;
    return !isInSet(before, set, end - 1) && isInSet(here, set, end - 1);
}

/// What stands for one item in the pattern: the place behind it, NULL where it does not fit; or, where the rest of the pattern
/// was matched as well, its end with `isDone`.
static const char *matchItem(MoonMatch *match, const char *place, const char **pattern, bool *isDone) {
    const char *item = *pattern;
    *isDone = true;
    if (*item == '(') {
        bool isPosition = item + 1 < match->patternEnd && item[1] == ')';
        return isPosition ? beginCapture(match, place, item + 2, MOON_CAPTURE_POSITION)
                          : beginCapture(match, place, item + 1, MOON_CAPTURE_OPEN);
    }
    if (*item == ')') return endCapture(match, place, item + 1);
    if (*item == '$' && item + 1 == match->patternEnd) return place == match->subjectEnd ? place : NULL;
    if (*item == '%' && item + 1 < match->patternEnd) {
        *isDone = false;
        if (item[1] == 'b') {
            *pattern = item + 4;
            return matchBalanced(match, place, item + 2);
        }
        if (item[1] == 'f') {
            if (item + 2 >= match->patternEnd || item[2] != '[') luaL_error(match->L, "missing '[' after '%%f' in pattern");
            *pattern = itemEnd(match, item + 2);
            return isFrontier(match, place, item + 2, *pattern) ? place : NULL;
        }
        if (isdigit((unsigned char)item[1])) {
            *pattern = item + 2;
            return matchCapture(match, place, (unsigned char)item[1]);
        }
        *isDone = true;
    }
    const char *end = itemEnd(match, item);
    switch (end < match->patternEnd ? *end : '\0') {
    case '*': return matchMost(match, place, item, end);
    case '+': return fits(match, place, item, end) ? matchMost(match, place + 1, item, end) : NULL;
    case '-': return matchFewest(match, place, item, end);
    case '?':
        if (fits(match, place, item, end)) {
            const char *found = moon_match_at(match, place + 1, end + 1);
            if (found != NULL) return found;
        }
        *pattern = end + 1;
        *isDone = false;
        return place;
    default:
        *pattern = end;
        *isDone = false;
        return fits(match, place, item, end) ? place + 1 : NULL;
    }
}

const char *moon_match_at(MoonMatch *match, const char *place, const char *pattern) {
    if (match->depth-- == 0) luaL_error(match->L, "pattern too complex");
    bool isDone = false;
    while (!isDone && place != NULL && pattern < match->patternEnd) {
        step(match);
        place = matchItem(match, place, &pattern, &isDone);
    }
    match->depth++;
    return place;
}

// MARK: Captures

void moon_push_capture(MoonMatch *match, int index, const char *start, const char *end) {
    if (index >= match->captureCount) {
        if (index != 0) luaL_error(match->L, "invalid capture index %%%d", index + 1);
        lua_pushlstring(match->L, start, (size_t)(end - start));
        return;
    }
    ptrdiff_t length = match->captures[index].length;
    if (length == MOON_CAPTURE_OPEN) luaL_error(match->L, "unfinished capture");
    else if (length == MOON_CAPTURE_POSITION) lua_pushinteger(match->L, match->captures[index].start - match->subject + 1);
    else lua_pushlstring(match->L, match->captures[index].start, (size_t)length);
}

int moon_push_captures(MoonMatch *match, const char *start, const char *end) {
    int count = match->captureCount == 0 && start != NULL ? 1 : match->captureCount;
    luaL_checkstack(match->L, count, "too many captures");
    for (int i = 0; i < count; i++) moon_push_capture(match, i, start, end);
    return count;
}
