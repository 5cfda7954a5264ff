// Firewall around libedit: reading one line from a terminal, with history and a completion key.
//
// libedit's own interface is variadic, which Swift cannot call, and leaves signals to its users: its built-in reader
// takes the first Ctrl-C at the prompt for a hiccup of the terminal and goes on reading.
#pragma once
#include <stddef.h>

typedef struct CEditor CEditor;

typedef struct {
    /// Passed to `complete`.
    void *context;
    /// Called when Tab is pressed. May look at the line, insert text and print below it; returns what to do then.
    enum CEditAction (*complete)(void *context, CEditor *editor);
    /// Whether a signal that cut the reading short means that the line is to be given up.
    int (*isInterrupted)(void);
} CEditCallbacks;

enum CEditAction { cedit_nothing = 0, cedit_refresh, cedit_redisplay, cedit_beep };
enum CEditStatus { cedit_line = 0, cedit_interrupted, cedit_end };

/// An editor on the process's standard input and output, or NULL. Also makes the character type locale a UTF-8 one.
CEditor *cedit_open(const char *program, int historySize, CEditCallbacks callbacks);
void cedit_close(CEditor *editor);

/// Shows `prompt` and reads a line, without its newline; the text lives until the next call.
const char *cedit_read(CEditor *editor, const char *prompt, enum CEditStatus *status);
void cedit_remember(CEditor *editor, const char *line);

// For `complete`.

/// The line as far as it was typed; `*cursor` is the byte offset of the cursor in it.
const char *cedit_text(CEditor *editor, size_t *count, size_t *cursor);
void cedit_insert(CEditor *editor, const char *text);
