/* What the files of the command "record" share. */
#ifndef GOLANES_CLI_RECORD_H
#define GOLANES_CLI_RECORD_H

#include <sys/types.h>

#include "args.h"

#include "record_follow.h"
#include "recording.h"

/** Where events can come from, in the order in which they are asked whether a program is theirs. */
extern const gl_probe_provider *const cli_record_providers[];
extern const size_t cli_record_provider_count;

/** The line on the terminal while it is recorded, at most `width` columns. ns: since the start; rate: events a second. */
void cli_record_status(const gl_recording_figures *f, int64_t ns, double rate, size_t width, char *out, size_t size);
/** The line at the end. */
void cli_record_closing(const char *path, const gl_recording_figures *f, const gl_writer_stats *stats, int64_t ns, char *out,
                        size_t size);

/** *only: the provider that --backend names, NULL: whichever fits. 0, or an exit code after a line on standard error. */
int cli_record_backend_parse(const cli_args *args, const gl_probe_provider **only);
/** NULL after a line on standard error. */
const gl_probe_provider *cli_record_choose_provider(const gl_probe_target *target, const gl_probe_provider *only);
/** What is to be known of a provider's cost before it begins. */
void cli_record_say_backend(const gl_probe_provider *provider);

#define CLI_RECORD_TRIGGERS_MAX 16
/** What the options say of files and of a flight. */
typedef struct cli_record_plan {
    uint64_t max_bytes, keep_bytes;
    unsigned max_files, limit;
    int64_t keep_ns, cooldown_ns;
    bool flight;
    gl_trigger *triggers[CLI_RECORD_TRIGGERS_MAX];
    size_t trigger_count;
} cli_record_plan;
/** 0, or CLI_EXIT_USAGE after lines on standard error. */
int cli_record_plan_parse(const cli_args *args, cli_record_plan *out);
void cli_record_plan_clean_up(cli_record_plan *plan);
/** Parses "64MiB", "1.5G", "4096" into bytes. False where it is none, or does not fit. */
bool cli_size_parse(const char *text, uint64_t *bytes);

/** In the environment of a recorder that golanes live has started: the descriptor of a pipe whose end ends the recording. */
#define CLI_RECORD_LEASH "GOLANES_LEASH_FD"
/** That descriptor, not to be inherited any more; -1: there is none. */
int cli_record_leash(void);

/** How a recording's wait ended. */
typedef struct cli_record_end {
    int wait_status;  /**< of the program, as waitpid has it; started programs only */
    bool interrupted; /**< a signal ended the recording of a process */
    bool let_go;      /**< a program that was started goes on without us */
} cli_record_end;

/** Blocks the signals that cli_record_wait looks after. Before any thread is made and before the program is started. */
void cli_record_block_signals(void);
/** What is waited for. */
typedef struct cli_record_watch {
    pid_t pid;
    bool child; /**< it was started by us */
    bool flight, quiet;
    gl_recording *recording;
    cli_follow *follow;
    int leash;    /**< see cli_record_leash */
} cli_record_watch;
/**
 * Waits for the end of a program that was started (child) or of a process, or for a signal that ends the recording of a
 * process. A started program gets the signals that were sent to us, and we stop when it stops; SIGUSR1 has the past of a
 * flight written instead. Looks after processes that are followed. Draws the status line.
 */
void cli_record_wait(const cli_record_watch *what, cli_record_end *end);
/** Ends this process as the program ended: by the same signal, without a core of its own. Returns the exit status where
    the program exited. */
int cli_record_end_as(int wait_status);

/** Further parts of the manual page. */
struct gl_text;
void cli_record_page(struct gl_text *out);

#endif
