#define _GNU_SOURCE
#include "CEdit.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct CEditor {
    EditLine *line;
    History *history;
    // The terminal that standard input is, opened once more so that reading never waits.
    int input;
    const char *prompt;
    CEditCallbacks callbacks;
};

static const int signals[] = {SIGINT, SIGWINCH, SIGCONT};
enum { signalCount = sizeof signals / sizeof *signals };

static volatile sig_atomic_t wasResized, wasContinued;
static pthread_t reader;
static void (*interrupt)(int);

// The system may give a signal to any thread, such as one of a library's, while the thread that reads must learn of it.
static void noteSignal(int signal) {
    int error = errno;
    if (!pthread_equal(pthread_self(), reader)) pthread_kill(reader, signal);
    else if (signal == SIGINT) interrupt(signal);
    else if (signal == SIGWINCH) wasResized = 1;
    else wasContinued = 1;
    errno = error;
}

static CEditor *editorOf(EditLine *line) {
    void *editor = NULL;
    el_get(line, EL_CLIENTDATA, &editor);
    return editor;
}

static char *promptOf(EditLine *line) { return (char *)editorOf(line)->prompt; }

static unsigned char complete(EditLine *line, int key) {
    (void)key;
    CEditor *editor = editorOf(line);
    switch (editor->callbacks.complete(editor->callbacks.context, editor)) {
    case cedit_refresh: return CC_REFRESH;
    case cedit_redisplay: return CC_REDISPLAY;
    case cedit_beep: return CC_REFRESH_BEEP;
    default: return CC_NORM;
    }
}

// Waits for input or a signal: 1 when there is input, -1 when the line is given up.
//
// The signals are blocked but for the wait itself. One that came just before would otherwise set its flag, and the
// wait would not notice.
static int waitForInput(EditLine *line) {
    sigset_t blocked, previous;
    sigemptyset(&blocked);
    for (int i = 0; i < signalCount; i++) sigaddset(&blocked, signals[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &previous);
    int isInterrupted = editorOf(line)->callbacks.isInterrupted();
    if (!isInterrupted && !wasResized && !wasContinued) {
        struct pollfd input = {.fd = editorOf(line)->input, .events = POLLIN};
        if (ppoll(&input, 1, NULL, &previous) == 1) {
            pthread_sigmask(SIG_SETMASK, &previous, NULL);
            return 1;
        }
        isInterrupted = editorOf(line)->callbacks.isInterrupted();
    }
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    return isInterrupted ? -1 : 0;
}

// One byte from the terminal: 1, 0 at the end, -1 when the line is given up.
//
// Ctrl-C takes away what was typed before it. Where that was what the wait saw, there is nothing to read any more, and a
// read that waits would wait for what is typed after the Ctrl-C.
static int readByte(EditLine *line, char *byte) {
    for (;;) {
        int status = waitForInput(line);
        if (status < 0) return -1;
        if (status > 0) {
            ssize_t count = read(editorOf(line)->input, byte, 1);
            if (count >= 0 || (errno != EINTR && errno != EAGAIN)) return (int)count;
        }
        if (wasContinued) {  // stopped and brought back: the shell has changed the terminal's mode
            wasContinued = 0;
            el_set(line, EL_PREP_TERM, 0);
            el_set(line, EL_PREP_TERM, 1);
            el_set(line, EL_REFRESH);
        }
        if (wasResized) {
            wasResized = 0;
            el_resize(line);
            el_set(line, EL_REFRESH);
        }
    }
}

// Replaces libedit's reader of characters, for the sake of signals.
static int readCharacter(EditLine *line, wchar_t *character) {
    mbstate_t state;
    memset(&state, 0, sizeof state);
    for (;;) {
        char byte;
        int count = readByte(line, &byte);
        if (count <= 0) return count;
        size_t used = mbrtowc(character, &byte, 1, &state);
        if (used == (size_t)-2) continue;
        if (used == (size_t)-1) {  // no UTF-8: drop it
            memset(&state, 0, sizeof state);
            continue;
        }
        return 1;
    }
}

static void chooseLocale(void) {
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
}

CEditor *cedit_open(const char *program, int historySize, CEditCallbacks callbacks) {
    chooseLocale();
    CEditor *editor = calloc(1, sizeof *editor);
    if (editor == NULL) return NULL;
    editor->callbacks = callbacks;
    // An opening of its own, because others share that of standard input and do not expect that it never waits. Where the
    // terminal is another user's it cannot be opened again.
    editor->input = open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (editor->input < 0) editor->input = STDIN_FILENO;
    editor->line = el_init(program, stdin, stdout, stderr);
    editor->history = history_init();
    if (editor->line == NULL || editor->history == NULL) {
        cedit_close(editor);
        return NULL;
    }
    HistEvent event;
    history(editor->history, &event, H_SETSIZE, historySize);
    history(editor->history, &event, H_SETUNIQUE, 1);
    EditLine *line = editor->line;
    el_set(line, EL_CLIENTDATA, editor);
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_PROMPT, promptOf);
    el_set(line, EL_HIST, history, editor->history);
    el_set(line, EL_GETCFN, readCharacter);
    el_set(line, EL_ADDFN, "complete-name", "Completes a name", complete);
    el_set(line, EL_BIND, "^I", "complete-name", NULL);
    el_set(line, EL_BIND, "^R", "em-inc-search-prev", NULL);
    // What Ctrl with an arrow sends in most terminals.
    el_set(line, EL_BIND, "\\e[1;5D", "ed-prev-word", NULL);
    el_set(line, EL_BIND, "\\e[1;5C", "em-next-word", NULL);
    el_source(line, NULL);  // the user's ~/.editrc has the last word
    return editor;
}

void cedit_close(CEditor *editor) {
    if (editor->line != NULL) el_end(editor->line);
    if (editor->history != NULL) history_end(editor->history);
    if (editor->input != STDIN_FILENO) close(editor->input);
    free(editor);
}

// Lets `noteSignal` handle the signals; `previous` takes what handled them. Nobody asks for Ctrl-C to be noted where it is
// ignored or ends the process, and it goes on doing so.
static void takeSignals(struct sigaction previous[signalCount]) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = noteSignal;
    sigemptyset(&action.sa_mask);
    reader = pthread_self();
    for (int i = 0; i < signalCount; i++) {
        sigaction(signals[i], NULL, &previous[i]);
        if (signals[i] == SIGINT) {
            interrupt = previous[i].sa_handler;
            if (interrupt == SIG_DFL || interrupt == SIG_IGN) continue;
        }
        sigaction(signals[i], &action, NULL);
    }
}

const char *cedit_read(CEditor *editor, const char *prompt, enum CEditStatus *status) {
    struct sigaction previous[signalCount];
    takeSignals(previous);

    editor->prompt = prompt;
    el_resize(editor->line);
    // libedit would show the prompt first: what is typed in between would be shown twice.
    el_set(editor->line, EL_PREP_TERM, 1);
    int count = 0;
    const char *text = el_gets(editor->line, &count);

    for (int i = 0; i < signalCount; i++) sigaction(signals[i], &previous[i], NULL);
    *status = text != NULL && count > 0 ? cedit_line : editor->callbacks.isInterrupted() ? cedit_interrupted : cedit_end;
    return *status == cedit_line ? text : NULL;
}

void cedit_remember(CEditor *editor, const char *line) {
    HistEvent event;
    history(editor->history, &event, H_ENTER, line);
}

const char *cedit_text(CEditor *editor, size_t *count, size_t *cursor) {
    const LineInfo *info = el_line(editor->line);
    *count = (size_t)(info->lastchar - info->buffer);
    *cursor = (size_t)(info->cursor - info->buffer);
    return info->buffer;
}

void cedit_insert(CEditor *editor, const char *text) { el_insertstr(editor->line, text); }
