/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parts of the stages on the machine itself, `system` and `user`, for machine-*.c, system.c and user.c alone; the
 * interface is stage.h, what is allowed and why is in docs/stages.md.
 *
 * Before the scenario: every unit and every file is looked at, and refused where it could not be undone or the
 * machine would not survive it. Then each change goes to the undo log and is made. The scenario is played by a child
 * in a scope of its own, to which the file systems are read-only. After it, or after its death, undo.h.
 */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "stage/machine-bus.h"
#include "stage/stage.h"
#include "stage/undo-log.h"

/* A folder of the machine, and the one that the scenario is shown in its place. */
typedef struct StandIn {
        const char *path; /* borrowed from the request */
        char *folder;
} StandIn;

typedef struct KnownUnit KnownUnit; /* machine-known.c */

typedef struct Machine {
        const StageRequest *request; /* borrowed; once opened the one below */
        StageRequest sorted_request; /* with the shorter paths first */
        StageFile *sorted_files;
        const StageKind *kind;
        bool is_user;
        char *address;
        char *unit_folder;
        char *target; /* active while the scenario is played, so that units which end stay loaded */
        char *scope;  /* what plays it, and its commands */
        char *journal_folder;
        StandIn *stand_ins;
        size_t n_stand_ins;
        KnownUnit *known_units;
        size_t n_known_units;
        MachineBus *bus;
        UndoLog *log;       /* NULL: nothing is changed */
        pid_t user_manager; /* its process; 0: the system's */
        pid_t player;
        int player_fd; /* pidfd */
        int signal_fd;
        sigset_t signals_before;
} Machine;

/* machine.c: what system.c and user.c are made of. */
int machine_run(const StageKind *kind, bool is_user, const StageRequest *request, StageFunction function,
                void *userdata, int *ret_wait_status, Error *reterr);
int machine_check(const StageKind *kind, bool is_user, const StageRequest *request, Error *reterr);
/* Is there a manager that is up, and a journal that can be read? */
int machine_probe(bool is_user, Error *reterr);

/* machine-critical.c */
/* Is it a unit whose end would take the machine, or whoever is logged in, with it? NULL: no; else why. */
const char *unit_is_critical(const char *unit);

/* machine-known.c: properties as machine_bus_property() gives them, but each as it was when one of its unit was first
 * asked for since machine_forget(). */
int machine_get_of(Machine *machine, const char *object, const char *interface, const char *property, char **ret_text,
                Error *reterr);
/* Of interface "Unit". */
int machine_get(Machine *machine, const char *object, const char *property, char **ret_text, Error *reterr);
void machine_forget(Machine *machine);

/* machine-check.c */
/* Refuses units that are critical, not there, or in no state that one could come back to. */
int machine_check_units(Machine *machine, Error *reterr);
/* What is refused for what a unit's settings are, asked again once the scenario's are in force. */
int machine_check_placed(Machine *machine, Error *reterr);
/* Will the manager have to read its files again? Then nothing else may be waiting for that. */
int machine_check_reload(Machine *machine, bool *ret_has_to_reload, Error *reterr);
/* Refuses to put @path into the folder of units where it is of none of the scenario's. */
int machine_check_unit_path(const Machine *machine, const char *path, Error *reterr);
/* Is the unit's file one of the scenario's? */
bool machine_brings_unit(const Machine *machine, const char *unit);

/* machine-along.c: units that come and go with one of the scenario's. */
typedef struct UnitNames {
        char **names;
        size_t n_names;
} UnitNames;

void unit_names_done(UnitNames *list);
/* @unit, and behind it those that its start, its end or its failure may have started; without those of the boot. */
int machine_find_pulled(Machine *machine, const char *unit, UnitNames *ret_names, Error *reterr);
/* Refuses a unit that would stop another one that is active, or take the machine along. */
int machine_check_along(Machine *machine, const char *unit, const char *object, Error *reterr);

/* machine-units.c */
/* Writes down how the units are. */
int machine_log_units(Machine *machine, Error *reterr);

/* machine-folders.c */
/* Refuses a service whose start would move somebody's data. */
int machine_check_unit_folders(Machine *machine, const char *unit, Error *reterr);
/* Refuses one that would have a folder made where another one is shown. */
int machine_check_shown_folders(Machine *machine, const char *unit, Error *reterr);
/* Writes down which folders the units' starts will make. */
int machine_log_unit_folders(Machine *machine, Error *reterr);

/* machine-files.c */
int machine_check_files(const Machine *machine, Error *reterr);
int machine_place_files(Machine *machine, Error *reterr);
/* One file of ours, with its missing folders. */
int machine_place_text(Machine *machine, const char *path, const char *content, Error *reterr);

/* machine-stand-ins.c: folders that the scenario is shown in place of the machine's. */
/* Which ones; refuses what nothing can be shown in place of. */
int machine_find_stand_ins(Machine *machine, Error *reterr);
void machine_free_stand_ins(Machine *machine);
/* The folder that all of them lie in. NULL: out of memory. */
char *machine_stand_in_folder(const Machine *machine);
/* The one that @path lies in; NULL: in none. */
const StandIn *machine_stand_in_of(const Machine *machine, const char *path);
/* Where what the scenario calls @path really lies. NULL: out of memory. */
char *machine_real_path(const Machine *machine, const char *path);
/* For the scenario's services. */
int machine_place_drop_ins(Machine *machine, Error *reterr);

/* machine-stand-in-check.c */
/* Refuses units that would use what there is all the same. @is_placed: the scenario's settings are in force. */
int machine_check_stand_ins(Machine *machine, bool is_placed, Error *reterr);

/* machine-player.c: forks it, puts it into its scope, lets it play, and waits for its end. */
int machine_play(Machine *machine, StageFunction function, void *userdata, int *ret_wait_status, Error *reterr);

/* machine-journal.c: the folder journald writes to now. */
int machine_find_journal(char **ret_folder, Error *reterr);
/* How many lines a unit may write before journald drops some (0: any number), and how many the journal got within
 * that interval until now. What is not known is the worst: a limit of one line. */
void machine_read_journal_limit(unsigned *ret_burst, unsigned *ret_n_lines);
