/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The ends of a unit's main processes, each put together from all its witnesses:
 *
 *   - the manager's properties: ExecMainPID, ExecMainCode, ExecMainStatus, stamps, Result, while they are there;
 *   - PROCESS_EXIT: code and status, of every invocation, also of one that no snapshot met (H-09);
 *   - the pidfd (MAIN_GONE): the moment, without the status;
 *   - process accounting: the whole wait status;
 *   - MAIN_ALIVE and snapshots: a moment at which it still lived.
 */

#include <sys/types.h>

#include "judge/expect.h"
#include "scenario/signal-name.h"

/* si_code of waitid(2), as systemd has it in ExecMainCode. */
typedef enum ExitCode {
        EXIT_CODE_UNKNOWN = 0,
        EXIT_CODE_EXITED = 1,
        EXIT_CODE_KILLED = 2,
        EXIT_CODE_DUMPED = 3,
} ExitCode;

typedef struct MainExit {
        pid_t pid;               /* 0: unknown */
        const char *invocation;  /* hex, borrowed; NULL: unknown */
        uint64_t start_usec;     /* ExecMainStartTimestampMonotonic; 0: unknown */
        uint64_t stamp_usec;     /* the manager's exit stamp; 0: none */
        uint64_t upper_usec;     /* the smallest upper bound of its witnesses */
        uint64_t lower_usec;     /* it lived at this moment; 0: nobody knows */
        ExitCode code;           /* by the manager */
        int status;              /* exit status, or signal */
        const char *unit_result; /* Result of its run, borrowed; NULL: unknown */
        bool is_settled;         /* the unit has come to rest behind it, so that Result is final */
        size_t properties_index; /* SIZE_MAX: no such witness; so for the others */
        size_t line_index;
        size_t gone_index;
        size_t death_index;
} MainExit;

typedef struct MainExits {
        MainExit *items; /* in the order of their upper bounds */
        size_t n_items;
} MainExits;

/* The exits of @unit that entries before @end (SIZE_MAX: all) tell of. -ENOMEM. */
int main_exits_collect(const Timeline *timeline, const char *unit, size_t end, MainExits *ret_exits);
void main_exits_done(MainExits *exits);

/* Has it a stamp by the manager, of its own or of its PROCESS_EXIT line? Without one it may not pass (rule 5). */
bool main_exit_has_stamp(const MainExit *exit);
/* Exit status 0 and Result success: the triple. */
bool main_exit_is_clean(const MainExit *exit);
/* Does process accounting tell another story than the manager? */
bool main_exit_is_contradicted(const MainExit *exit, const Timeline *timeline);
/* "exited with status 1", "was killed by SIGTERM", "dumped core on SIGSEGV"; into @buffer, which is returned. */
#define MAIN_EXIT_TEXT_MAX 160
const char *main_exit_text(const MainExit *exit, char buffer[static MAIN_EXIT_TEXT_MAX]);
/* The witnesses become the verdict's evidence. -ENOMEM. */
int main_exit_cite(const MainExit *exit, Verdict *verdict);

/* One start of a main process, by the manager's stamp. */
typedef struct MainStart {
        pid_t pid;
        const char *invocation; /* hex, borrowed; NULL: unknown */
        uint64_t start_usec;
        uint64_t asked_usec; /* of the snapshot that saw it first */
        size_t index;        /* of that snapshot */
} MainStart;

typedef struct MainStarts {
        MainStart *items; /* by start_usec */
        size_t n_items;
} MainStarts;

int main_starts_collect(const Timeline *timeline, const char *unit, size_t end, MainStarts *ret_starts);
void main_starts_done(MainStarts *starts);

/* MESSAGE_ID of manager lines. Source: sd-messages.h of systemd 252. */
#define MESSAGE_PROCESS_EXIT      "98e322203f7a4ed290d09fe03c09fe15"
#define MESSAGE_STOPPING          "de5b426a63be47a7b6ac3eaac82e2f6f"
#define MESSAGE_RESTART_SCHEDULED "5eb03494b6584870a536b337290809b3"
#define MESSAGE_FAILURE_RESULT    "d9b373ed55a64feb8242e02dbe79a49c"
#define MESSAGE_UNIT_FAILED       "be02cf6855d2428ba40df7e9d022f03d" /* a start job failed */
#define MESSAGE_SUCCESS           "7ad2d189f7e94e70a38c781354912448"
