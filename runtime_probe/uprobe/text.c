/* What is to be said of it, also where it was not built. */
#include "golanes/probe_uprobe.h"

const char gl_probe_uprobe_cost[] = "an event costs the program a trap into the kernel, 1 us and in virtual machines up to 10 us, and two "
                                    "to four times that where an instruction has to be single-stepped";
const char gl_probe_uprobe_limits[] = "programs that it starts are not followed, and a change of state is stamped when it has taken "
                                      "place";
