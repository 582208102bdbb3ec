/* What golanes-record(1) says of Go programs that know nothing of golanes: what is done to them, and what is not told. */
#include "record.h"
#include "text.h"

static const char changed[] =
    "\n# WHAT IS CHANGED IN A GO PROGRAM\n\n"
    "In the memory of the process, and nowhere else (the program's file is never written):\n\n"
    "- _Code._ At some 40 places of the Go runtime 5 bytes are replaced by a jump, what is left of the displaced "
    "instructions by int3. The process gets private copies of these pages. Before, each place is compared with the file: "
    "where anything is different (a debugger, another tracer), nothing is done.\n"
    "- _Hooks._ 128 KiB near the code: the displaced instructions, and what writes a record. Readable and executable, never "
    "writable.\n"
    "- _Rings._ A shared mapping, \\/memfd:golanes-probe in \\/proc\\/PID\\/maps, of 2 GiB of addresses, with memory as it is used "
    "(some MiB, charged to golanes).\n\n"
    "To put this in place one thread makes two mappings, and then all threads stand still for about a millisecond. While it "
    "is recorded the program is not traced; a debugger could attach. At the end the code is what it was. The two mappings "
    "stay, without their memory, since a thread might still be in a hook; the next recording uses them again.\n\n"
    "golanes may be killed at any moment, also while it starts or joins a program: that goes on. If it was being recorded, the "
    "hooks stay, its rings fill, and then events are dropped and counted, until golanes record --pid takes the old hooks out. "
    "(One gap is left: a jump that lies across two pages, one in a thousand, is written in two pieces, a fraction of a "
    "microsecond apart.)\n\n"
    "A check of the program's own code in memory would notice. So would one that counts its mappings.\n";

static const char times[] =
    "\n# TIMES OF A GO PROGRAM'S EVENTS\n\n"
    "A change of a goroutine's state is stamped just before it takes place, and no other thread can act on it before. To read "
    "the clock costs more than all else of a record, so it is left out where it tells nothing:\n\n"
    "- The _begin_ of an operation on an unbuffered channel (or on nil) whose lock is free has the time of the next event of its "
    "thread, which is what the operation leads to: GoBlock where it waits, GoUnpark where it lets another go on, or its own "
    "end. That is some ten nanoseconds late; should the thread be taken from its processor just then, as much later.\n"
    "- The _end_ of an operation that waited has the time of the GoStart by which its goroutine went on, if nothing else was "
    "recorded on the thread since. That is some ten nanoseconds early.\n\n"
    "All others have their own: where the channel's lock is held by another thread when the operation begins, where the channel "
    "has a buffer, of a select the begin, and each end of what did not wait. With *--exact-times* all have, which makes an "
    "unbuffered hand-over a tenth slower or so. Neither changes the order of events, nor when a goroutine waits. With "
    "--backend uprobe all have their own time in any case.\n";

static const char profiler[] =
    "\n# WHAT A PROFILER SHOWS\n\n"
    "A sample that falls into a hook is shown as runtime.\\_ExternalCode by Go's own profiles (runtime\\/pprof), without the "
    "stack that led there, and as an address in an anonymous mapping by perf. An event costs 4 to 20 ns of the "
    "program's time, more where memory is touched for the first time; functions that do nothing but channel operations show "
    "up with up to twice their time, and what waits in them, too. Nothing is sampled: profiles and this may be taken "
    "together.\n";

static const char limits[] =
    "\n# LIMITS\n\n"
    "Go programs for linux\\/amd64, Go 1.18 and later. Refused, with one sentence and before anything is touched: plugins, shared "
    "and C archives; -race, -msan and -asan; garbled programs; processes of other users, under another tracer, under Yama's "
    "ptrace\\_scope (only what golanes starts may then be recorded), or with a seccomp filter that would not allow openat, "
    "mmap and munmap; programs that take another user's rights at their start; machines whose time stamp counter can't be "
    "relied on. *golanes doctor* says what can be had of a program, and why not the rest.\n\n"
    "Threads beyond 128 at a time have no ring: their events are counted, not told. When the recorder does not get to read in "
    "time events are dropped, counted, and told by a Lost event. How many Ps there are, and when that changes, is told "
    "(ProcsChange; not with --backend uprobe). ProcStart and ProcStop are inferred; which of the collector's workers are idle "
    "ones, and the reason of a yield, is not known; of what was there before, GoStatus events tell. Which system call it is, the "
    "heap's size, timers and the network poller are not told.\n";

void cli_record_page(gl_text *out)
{
    gl_text_str(out, changed);
    gl_text_str(out, times);
    gl_text_str(out, profiler);
    gl_text_str(out, limits);
}
