/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The live journal on the loop: every line once to the performer, PID 1's lines about units as ENTRY_MANAGER_LINE,
 * what journald says about losses as ENTRY_JOURNAL_LOSS.
 *
 * Wake-ups may lag: journald signals a change to its files up to 250 ms after the write (journal-file.c,
 * POST_CHANGE_TIMER_INTERVAL_USEC). The stamps are right, and a barrier does not wait for it.
 *
 * A journald that goes away is an ENTRY_CHANNEL "journal" "lost"; each time it is found again, "ok".
 */

#include "observe/journal-position.h"
#include "observe/observer.h"
#include "timeline/log-line.h"

typedef struct JournalWatch JournalWatch;

/* @line is borrowed for the call. */
typedef void (*LineCallback)(const LogLine *line, void *userdata);

#define JOURNALD_SOCKET "/run/systemd/journal/io.systemd.journal"

/**
 * journal_watch_new() - follow the journal files of @folder
 * @folder:      e.g. "/run/log/journal"; need not exist yet, its parent must
 * @socket_path: journald's varlink socket, JOURNALD_SOCKET
 * @from_now:    begin behind what is there already, else at the beginning
 * @on_line:     called for every line, from the loop
 */
int journal_watch_new(Observer *observer, const char *folder, const char *socket_path, bool from_now,
                LineCallback on_line, void *userdata, JournalWatch **ret_watch, Error *reterr);
JournalWatch *journal_watch_free(JournalWatch *watch);

/* Reads what is there now. Cheap where there is nothing. The loop does it too; this saves the lag of the wake-up. */
int journal_watch_drain(JournalWatch *watch);

/**
 * journal_watch_barrier() - make journald write all it was sent, then read to the tail
 *
 * What a process sent before its end is in, once that end has been seen before the barrier was asked for.
 * Errors: -EBUSY where a barrier is under way.
 * Source: io.systemd.Journal.Synchronize, systemd-journald.service(8).
 */
int journal_watch_barrier(JournalWatch *watch, BarrierCallback callback, void *userdata);

/* Where the lines begin that @on_line gets. */
const JournalPosition *journal_watch_position(const JournalWatch *watch);
/* May lines have come from the file of this device and inode? */
bool journal_watch_reads(const JournalWatch *watch, dev_t device, ino_t inode);

/* Copies the journal files of @folder that @watch reads (NULL: all) into the folder "journal" of the evidence. After
 * a barrier, before the stage ends. */
int journal_copy(const char *folder, const JournalWatch *watch, int evidence_fd, Error *reterr);

DEFINE_CLEANUP(JournalWatch, journal_watch_free)
