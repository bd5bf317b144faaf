/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One journal file, read in place: mapped, never copied, every offset checked against the file's size.
 *
 * Why not sd_journal: to judge a line we need its sequence number and two or three fields. sd_journal gives the
 * former only inside a formatted cursor and searches all of a line's objects for each of the latter; over 400,000
 * lines that took 0.97 s where `journalctl -o cat` takes 1.3 s. Read in place it is an array walk. What is compressed
 * is still left to sd_journal, see journal-reader.c.
 *
 * Source: https://systemd.io/JOURNAL_FILE_FORMAT/, which promises that readers may rely on it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-id128.h>

typedef struct JournalFile {
        char *name; /* for messages */
        dev_t device;
        ino_t inode;

        const uint8_t *bytes; /* the mapping */
        size_t n_bytes;
        int fd;
        bool is_compact;

        uint64_t array_offset;   /* the entry array we are in; 0: before the first */
        uint64_t n_array_before; /* entries in the arrays before it */
        uint64_t n_read;         /* entries handed out */
} JournalFile;

/* One line as it lies in the file. */
typedef struct JournalEntry {
        const JournalFile *file;
        uint64_t offset;
        size_t n_items;
        uint64_t seqnum;
        uint64_t realtime_usec;
        uint64_t monotonic_usec;
        sd_id128_t boot_id;
        uint64_t xor_hash;
} JournalEntry;

/**
 * journal_file_open() - map @name in folder @folder_fd
 *
 * Errors: -EBADMSG where it is no journal file, -EPROTONOSUPPORT where it uses a format newer than we know, -EAGAIN
 * where journald has not finished creating it (open it later), or the errno of open().
 */
int journal_file_open(int folder_fd, const char *name, JournalFile **ret_file);
JournalFile *journal_file_free(JournalFile *file);

/* The entry after the last one advanced over: 1, or 0 where there is none (yet), or -EBADMSG. */
int journal_file_peek(JournalFile *file, JournalEntry *ret_entry);
/* Goes over the entry that was peeked at. */
void journal_file_advance(JournalFile *file);

/* Goes over all that is in the file now. Returns the number of its last line; 0: it has none. */
uint64_t journal_file_skip(JournalFile *file);

sd_id128_t journal_file_seqnum_id(const JournalFile *file);

/**
 * journal_entry_field() - the value of field @name of an entry
 * @ret_compressed: set to true where the entry has compressed objects, in one of which the field may be
 *
 * Returns the bytes, borrowed from the mapping; NULL where there is no such uncompressed field.
 */
const char *journal_entry_field(
                const JournalEntry *entry, const char *name, size_t *ret_n_bytes, bool *ret_compressed);
