#include "output.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct output {
    FILE *file;
    /* As the user wrote it, for messages. */
    const char *name;
    /* With symbolic links followed, so that a link stays a link. */
    char target[PATH_MAX];
    char temporary[PATH_MAX];
    /* Non-zero while the temporary file exists; the only field, with `temporary`, that the signal handler reads. */
    volatile sig_atomic_t pending;
} output;

static output outputs[OUTPUT_MAX];
static int count;

static void remove_and_die(int signal_number) {
    for (int i = 0; i < OUTPUT_MAX; i++)
        if (outputs[i].pending)
            unlink(outputs[i].temporary);
    /* SA_RESETHAND has put the default action back: the parent sees the true cause. */
    raise(signal_number);
}

static void watch_signals(void) {
    static const int fatal[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
    struct sigaction action = {.sa_handler = remove_and_die, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
        struct sigaction old;
        /* A signal that the parent chose to ignore (nohup) stays ignored. */
        if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(fatal[i], &action, NULL);
    }
    /* A file-size limit should be an error of write, not the end. */
    signal(SIGXFSZ, SIG_IGN);
}

/* Where the file will lie: `path`, or what it points to. Devices and directories are refused, for renaming a file over
 * /dev/null would replace it. */
static cli_status resolve(const char *path, char *target) {
    struct stat about;
    if (lstat(path, &about) != 0) {
        if (errno != ENOENT)
            return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
        if (snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
            return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(ENAMETOOLONG));
        return CLI_OK;
    }
    if (!realpath(path, target) || stat(target, &about) != 0)
        return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return cli_fail(CLI_BAD_INPUT, "%s: exists and is not a regular file", path);
    return CLI_OK;
}

/* mkstemp makes private files; the result gets the mode that the file it replaces has, or that any new file would. */
static void set_mode(int file, const char *target) {
    struct stat about;
    mode_t mask = umask(0);
    umask(mask);
    mode_t mode = stat(target, &about) == 0 ? about.st_mode & 0777 : 0666 & ~mask;
    /* Failing leaves it private, which is no reason to give up the result. */
    if (fchmod(file, mode) != 0)
        errno = 0;
}

cli_status output_open(const char *path, FILE **file) {
    if (count == OUTPUT_MAX)
        return cli_fail(CLI_FAILED, "%s: too many outputs", path);
    if (count == 0)
        watch_signals();
    /* Elsewhere the name means standard output, where a file that appears whole or not at all cannot be. */
    if (strcmp(path, "-") == 0)
        return cli_fail(CLI_BAD_INPUT, "-: results are not written to standard output (a file of this name is ./-)");
    output *o = &outputs[count];
    cli_status status = resolve(path, o->target);
    if (status != CLI_OK)
        return status;
    for (int i = 0; i < count; i++)
        if (strcmp(outputs[i].target, o->target) == 0)
            return cli_fail(CLI_BAD_INPUT, "%s: named for two outputs", path);
    static const char suffix[] = ".XXXXXX";
    size_t length = strlen(o->target);
    if (length + sizeof suffix > sizeof o->temporary)
        return cli_fail(CLI_BAD_INPUT, "%s: %s", path, strerror(ENAMETOOLONG));
    memcpy(o->temporary, o->target, length);
    memcpy(o->temporary + length, suffix, sizeof suffix);

    /* Between mkstemp and `pending` a signal must not come: the name would be lost. */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    int descriptor = mkstemp(o->temporary);
    int reason = errno;
    o->pending = descriptor >= 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (descriptor < 0)
        return cli_fail(CLI_BAD_INPUT, "%s: cannot create: %s", path, strerror(reason));

    o->name = path;
    o->file = fdopen(descriptor, "wb");
    count++;
    if (!o->file) {
        close(descriptor);
        return cli_fail_memory();
    }
    set_mode(descriptor, o->target);
    *file = o->file;
    return CLI_OK;
}

cli_status output_failed(FILE *file) {
    int reason = errno;
    for (int i = 0; i < count; i++)
        if (outputs[i].file == file)
            return cli_fail(CLI_FAILED, "%s: cannot write: %s", outputs[i].name, strerror(reason));
    return CLI_FAILED;
}

/* The rename itself is only durable when the directory is. Some file systems cannot do this, and the file is whole
 * either way, so failures are not reported. */
static void sync_directory(char *path) {
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path ? 1 : 0] = '\0';
    FILE *directory = fopen(slash ? path : ".", "r");
    if (!directory)
        return;
    if (fsync(fileno(directory)) != 0)
        errno = 0;
    fclose(directory);
}

cli_status output_commit_all(void) {
    for (int i = 0; i < count; i++)
        if (fflush(outputs[i].file) != 0 || fsync(fileno(outputs[i].file)) != 0)
            return output_failed(outputs[i].file);
    for (int i = 0; i < count; i++) {
        output *o = &outputs[i];
        fclose(o->file);
        o->file = NULL;
        if (rename(o->temporary, o->target) != 0)
            return cli_fail(CLI_FAILED, "%s: cannot rename: %s", o->name, strerror(errno));
        o->pending = 0;
        sync_directory(o->target);
    }
    count = 0;
    return CLI_OK;
}

void output_discard_all(void) {
    for (int i = 0; i < count; i++) {
        output *o = &outputs[i];
        if (o->file)
            fclose(o->file);
        o->file = NULL;
        if (o->pending)
            unlink(o->temporary);
        o->pending = 0;
    }
    count = 0;
}
