// Lua's patterns, matched in steps that are counted.
#pragma once

#include "internal.h"

enum { MOON_MOST_CAPTURES = 32 };

/// One match of a pattern, as far as it has come.
typedef struct MoonMatch {
    lua_State *L;
    const char *subject, *subjectEnd, *patternEnd;
    /// Calls that are still allowed within each other.
    int depth;
    int captureCount;
    struct {
        const char *start;
        /// Bytes, or one of the values below.
        ptrdiff_t length;
    } captures[MOON_MOST_CAPTURES];
    /// Steps that were not yet accounted for.
    int steps;
} MoonMatch;

enum { MOON_CAPTURE_OPEN = -1, MOON_CAPTURE_POSITION = -2 };

/// Prepares for matching; what the match holds are addresses into both strings.
void moon_match_prepare(
    MoonMatch *match, lua_State *L, const char *subject, size_t length, const char *pattern, size_t patternLength);
/// Tries the pattern at one place: where the match ends, or NULL. Raises where the pattern is malformed, or the script is stopped.
const char *moon_match_at(MoonMatch *match, const char *place, const char *pattern);
/// Pushes capture `index`, counted from 0; without captures, number 0 is the whole match.
void moon_push_capture(MoonMatch *match, int index, const char *start, const char *end);
/// Pushes all captures, or the whole match where there are none and `start` is given; returns how many.
int moon_push_captures(MoonMatch *match, const char *start, const char *end);
