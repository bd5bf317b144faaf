/* SPDX-License-Identifier: MIT */
#pragma once

/* What undo.c, undo-units.c and undo-files.c share while one log is undone. */

#include <string.h>

#include "stage/machine-bus.h"
#include "stage/undo-drift.h"
#include "stage/undo-log.h"

typedef struct Undo {
        UndoLog *log;
        Json **records;
        size_t n_records;
        MachineBus *bus;           /* NULL: the manager cannot be reached */
        UnitDrift drift;           /* units that went along with those of the scenario */
        bool is_same_manager;      /* it is the one that was changed */
        bool has_to_reload;        /* its files are other ones now */
        bool has_changed_settings; /* of units: what was started meanwhile was started with others */
        bool has_changed_files;    /* which a daemon may have read without being started anew */
        int first_error;
        Error *reterr;
} Undo;

/* The first error is the one that counts; the rest is undone all the same. */
static inline void undo_note(Undo *undo, int r) {
        if (r < 0 && undo->first_error >= 0)
                undo->first_error = r;
}

/* undo-units.c */
/* What was not running and is: the scenario's process and commands, its units, those that came with them. */
void undo_stop_units(Undo *undo);
/* What was running and is not, or runs with what is undone now. */
void undo_start_units(Undo *undo);

/* undo-files.c: in reverse order. */
void undo_files(Undo *undo);
