/* SPDX-License-Identifier: MIT */
#pragma once

/* What the two halves of rule 6 share: main processes (deaths-main.c, deaths-stop.c) and all others (deaths-other.c).
 */

#include "judge/deaths.h"
#include "judge/exits.h"
#include "judge/window.h"

/* A unit that was watched, with the ends and starts of its main processes. */
typedef struct DeathUnit {
        const char *name; /* borrowed */
        MainExits exits;
        MainStarts starts;
} DeathUnit;

typedef struct Deaths {
        const Case *facts;
        Judgement *judgement;
        Window window; /* the whole scenario */
        DeathUnit *units;
        size_t n_units;
        unsigned *n_uses; /* parallel to the timeline: deaths that this signal, job or expect step has explained
                             already */
        bool is_journal_complete;
} Deaths;

/* Does the unit stop, or end, because of this action of ours? */
bool is_stop_action(const Entry *action);
/* Does this signal end a process that does nothing about it? Source: signal(7). */
bool signal_ends(int signal_number);

/* Did the manager stop the unit when this process ended, for another reason than an action of ours? */
bool was_stopped(const Timeline *timeline, const char *unit, const MainExit *exit);

/*
 * Was the unit stopped by its OOMPolicy= because a hog of ours was killed in its cgroup? A main process that the
 * kernel killed itself was not stopped. -ENOMEM.
 */
int was_stopped_for_a_hog(const Deaths *deaths, const char *unit, const MainExit *exit, bool *ret_was);

/*
 * One verdict for a death that nothing explains; @sentence names it. @signal_number: what the kernel may have killed
 * it with; 0 where a kill by the kernel would be no excuse (a main process).
 */
int deaths_report(Deaths *deaths, const size_t *evidence, size_t n_evidence, uint64_t at_usec, int signal_number,
                const char *sentence);

int judge_main_deaths(Deaths *deaths);
int judge_other_deaths(Deaths *deaths);
