/* SPDX-License-Identifier: MIT */
#include "observe/journal-reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>

#include "base/text.h"
#include "observe/journal-file.h"

typedef struct OldFile {
        dev_t device;
        ino_t inode;
} OldFile;

typedef struct OpenFile {
        JournalFile *file;
        JournalEntry next; /* the entry to be handed out next, where has_next */
        bool has_next;
} OpenFile;

struct JournalReader {
        int base_fd; /* the folder to be opened may come later, so it is opened at each scan */
        char *path;
        OpenFile *files;
        size_t n_files;
        OldFile *old_files; /* put aside before the position: never written to again */
        size_t n_old_files;
        JournalPosition position; /* what is up to there is not handed out */

        LogLine line; /* handed out; its reader points back */
        JournalEntry entry;
        Text cursor;
        sd_journal *helper; /* for compressed fields; reads helper_file, is at helper_offset (0: nowhere) */
        const JournalFile *helper_file;
        uint64_t helper_offset;
        Text problem;
};

static const char *line_get_field(const LogLine *line, const char *name, size_t *ret_n_bytes);
static const char *line_get_cursor(const LogLine *line);

int journal_reader_open(int folder_fd, const char *path, JournalReader **ret_reader, Error *reterr) {
        CLEANUP(journal_reader_free_p) JournalReader *reader = calloc(1, sizeof(*reader));
        int r;

        if (!reader)
                return error_set_errno(reterr, -ENOMEM, "journal %s", path);
        reader->base_fd = folder_fd == AT_FDCWD ? -EBADF : fcntl(folder_fd, F_DUPFD_CLOEXEC, 3);
        if (folder_fd != AT_FDCWD && reader->base_fd < 0)
                return error_set_errno(reterr, -errno, "journal %s", path);
        reader->path = strdup(path);
        if (!reader->path)
                return error_set_errno(reterr, -ENOMEM, "journal %s", path);
        reader->line = (LogLine){ .get_field = line_get_field, .get_cursor = line_get_cursor, .reader = reader };

        r = journal_reader_rescan(reader, reterr);
        if (r < 0)
                return r;
        *ret_reader = TAKE_PTR(reader);
        return 0;
}

JournalReader *journal_reader_free(JournalReader *reader) {
        if (!reader)
                return NULL;

        sd_journal_close(reader->helper);
        FOREACH_ARRAY (open, reader->files, reader->n_files)
                (void) journal_file_free(open->file);
        free(reader->files);
        free(reader->old_files);
        free(reader->path);
        text_done(&reader->cursor);
        text_done(&reader->problem);
        close_p(&reader->base_fd);
        free(reader);
        return NULL;
}

static bool is_journal_name(const char *name) {
        const char *dot = strrchr(name, '.');

        /* With a tilde: put aside by journald because it was not closed in order. */
        return dot && (strcmp(dot, ".journal") == 0 || strcmp(dot, ".journal~") == 0);
}

bool journal_reader_reads(const JournalReader *reader, dev_t device, ino_t inode) {
        FOREACH_ARRAY (open, reader->files, reader->n_files)
                if (open->file->device == device && open->file->inode == inode)
                        return true;
        return false;
}

static bool reader_has_file(const JournalReader *reader, const struct stat *stat) {
        FOREACH_ARRAY (old, reader->old_files, reader->n_old_files)
                if (old->device == stat->st_dev && old->inode == stat->st_ino)
                        return true;
        return journal_reader_reads(reader, stat->st_dev, stat->st_ino);
}

static int reader_add_file(JournalReader *reader, int folder_fd, const char *name, Error *reterr) {
        struct stat stat;
        OpenFile *files;
        JournalFile *file;
        int r;

        if (fstatat(folder_fd, name, &stat, 0) < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "journal file %s", name);
        if (!S_ISREG(stat.st_mode) || reader_has_file(reader, &stat))
                return 0;

        files = reallocarray(reader->files, reader->n_files + 1, sizeof(*files));
        if (!files)
                return error_set_errno(reterr, -ENOMEM, "journal file %s", name);
        reader->files = files;

        r = journal_file_open(folder_fd, name, &file);
        if (r == -EAGAIN || r == -ENOENT) /* not made yet, or gone by rotation or vacuuming meanwhile */
                return 0;
        if (r == -EBADMSG)
                return error_set(reterr, r, "journal file %s/%s is no journal file, or is damaged", reader->path,
                                name);
        if (r == -EPROTONOSUPPORT)
                return error_set(reterr, r, "journal file %s/%s uses a feature this version does not know",
                                reader->path, name);
        if (r < 0)
                return error_set_errno(reterr, r, "journal file %s/%s", reader->path, name);
        files[reader->n_files++] = (OpenFile){ .file = file };
        return 0;
}

static void closedir_p(DIR **folder) {
        if (*folder)
                (void) closedir(*folder);
}

static int reader_scan_folder(JournalReader *reader, int at_fd, const char *path, bool is_top, Error *reterr) {
        CLEANUP(closedir_p) DIR *folder = NULL;
        int fd, r;

        fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "journal folder %s", reader->path);
        folder = fdopendir(fd);
        if (!folder) {
                r = -errno;
                (void) close(fd);
                return error_set_errno(reterr, r, "journal folder %s", reader->path);
        }

        for (struct dirent *item; (item = readdir(folder));) {
                sd_id128_t id;

                if (is_journal_name(item->d_name))
                        r = reader_add_file(reader, fd, item->d_name, reterr);
                else if (is_top && sd_id128_from_string(item->d_name, &id) >= 0) /* a machine's folder */
                        r = reader_scan_folder(reader, fd, item->d_name, false, reterr);
                else
                        continue;
                if (r < 0)
                        return r;
        }
        return 0;
}

int journal_reader_rescan(JournalReader *reader, Error *reterr) {
        return reader_scan_folder(
                        reader, reader->base_fd >= 0 ? reader->base_fd : AT_FDCWD, reader->path, true, reterr);
}

/* "system@...": put aside by a rotation; with a tilde: put aside because it was not closed in order. */
static bool is_put_aside(const char *name) {
        return strchr(name, '@') || strchr(name, '~');
}

void journal_reader_skip(JournalReader *reader) {
        size_t n_left = 0;

        reader->old_files = calloc(reader->n_files ?: 1, sizeof(*reader->old_files));
        FOREACH_ARRAY (open, reader->files, reader->n_files) {
                uint64_t seqnum = journal_file_skip(open->file);

                if (!is_put_aside(open->file->name) && seqnum > reader->position.seqnum)
                        reader->position = (JournalPosition){ true, journal_file_seqnum_id(open->file), seqnum };
                /* Without memory for the note it stays open, which costs only time. */
                if (reader->old_files && is_put_aside(open->file->name)) {
                        reader->old_files[reader->n_old_files++] = (OldFile){ open->file->device, open->file->inode };
                        (void) journal_file_free(open->file);
                } else
                        reader->files[n_left++] = *open;
        }
        reader->n_files = n_left;
}

const JournalPosition *journal_reader_position(const JournalReader *reader) {
        return &reader->position;
}

void journal_reader_begin_behind(JournalReader *reader, const JournalPosition *position) {
        reader->position = *position;
}

static int reader_refresh(JournalReader *reader) {
        FOREACH_ARRAY (open, reader->files, reader->n_files) {
                int r;

                if (open->has_next)
                        continue;
                while ((r = journal_file_peek(open->file, &open->next)) > 0 &&
                                journal_position_covers(&reader->position, journal_file_seqnum_id(open->file),
                                                open->next.seqnum))
                        journal_file_advance(open->file);
                if (r < 0) {
                        reader->problem.n_bytes = 0;
                        text_printf(&reader->problem, "journal file %s/%s is damaged behind its line %" PRIu64,
                                        reader->path, open->file->name, open->file->n_read);
                        return r;
                }
                open->has_next = r > 0;
        }
        return 0;
}

/* journald's numbers order its lines; those of two journalds (two recordings in one folder) have only the clock. */
static bool is_before(const JournalEntry *a, const JournalEntry *b) {
        if (sd_id128_equal(journal_file_seqnum_id(a->file), journal_file_seqnum_id(b->file)))
                return a->seqnum < b->seqnum;
        return a->realtime_usec < b->realtime_usec;
}

static OpenFile *reader_earliest(JournalReader *reader) {
        OpenFile *earliest = NULL;

        FOREACH_ARRAY (open, reader->files, reader->n_files)
                if (open->has_next && (!earliest || is_before(&open->next, &earliest->next)))
                        earliest = open;
        return earliest;
}

int journal_reader_next(JournalReader *reader, const LogLine **ret_line) {
        OpenFile *open;
        int r;

        r = reader_refresh(reader);
        if (r < 0)
                return r;
        open = reader_earliest(reader);
        if (!open)
                return 0;
        if (reader->n_files > 1) {
                /* A rotation while we looked: when we saw the first line of the new file, the last line of the old
                 * one was in already, but perhaps not yet when we looked there. So look again before believing in an
                 * order. */
                r = reader_refresh(reader);
                if (r < 0)
                        return r;
                open = reader_earliest(reader);
        }

        reader->entry = open->next;
        open->has_next = false;
        journal_file_advance(open->file);

        reader->line.seqnum = reader->entry.seqnum;
        reader->line.at_usec = reader->entry.monotonic_usec;
        *ret_line = &reader->line;
        return 1;
}

const char *journal_reader_problem(const JournalReader *reader) {
        return text_get(&reader->problem);
}

static const char *line_get_cursor(const LogLine *line) {
        JournalReader *reader = line->reader;
        const JournalEntry *entry = &reader->entry;

        text_truncate(&reader->cursor, 0);
        text_printf(&reader->cursor,
                        "s=" SD_ID128_FORMAT_STR ";i=%" PRIx64 ";b=" SD_ID128_FORMAT_STR ";m=%" PRIx64 ";t=%" PRIx64
                        ";x=%" PRIx64,
                        SD_ID128_FORMAT_VAL(journal_file_seqnum_id(entry->file)), entry->seqnum,
                        SD_ID128_FORMAT_VAL(entry->boot_id), entry->monotonic_usec, entry->realtime_usec,
                        entry->xor_hash);
        return reader->cursor.is_broken ? NULL : text_get(&reader->cursor);
}

static int helper_open(JournalReader *reader, const JournalFile *file) {
        int fd = file->fd;

        if (reader->helper && reader->helper_file == file)
                return 0;

        sd_journal_close(reader->helper);
        reader->helper = NULL;
        if (sd_journal_open_files_fd(&reader->helper, &fd, 1, 0) < 0)
                return -EIO;
        reader->helper_file = file;
        return sd_journal_set_data_threshold(reader->helper, 0); /* all of a field, not its first 64 KiB */
}

static int helper_seek(JournalReader *reader) {
        const char *cursor = line_get_cursor(&reader->line);

        if (!cursor || helper_open(reader, reader->entry.file) < 0)
                return -EIO;
        if (reader->helper_offset == reader->entry.offset)
                return 0;

        reader->helper_offset = 0;
        if (sd_journal_seek_cursor(reader->helper, cursor) < 0 || sd_journal_next(reader->helper) <= 0 ||
                        sd_journal_test_cursor(reader->helper, cursor) <= 0)
                return -EIO;
        reader->helper_offset = reader->entry.offset;
        return 0;
}

static const char *helper_get_field(JournalReader *reader, const char *name, size_t *ret_n_bytes) {
        size_t n_bytes, n_prefix = strlen(name) + 1;
        const void *bytes;

        if (helper_seek(reader) < 0 || sd_journal_get_data(reader->helper, name, &bytes, &n_bytes) < 0)
                return NULL;
        *ret_n_bytes = n_bytes - n_prefix;
        return (const char *) bytes + n_prefix;
}

/* Only what is longer than 512 bytes is compressed: identifiers, numbers and unit names are not. */
static bool is_always_short(const char *name) {
        static const char *const names[] = {
                "MESSAGE_ID",
                "PRIORITY",
                "_PID",
                "_TRANSPORT",
                "_SYSTEMD_UNIT",
                "_SYSTEMD_USER_UNIT",
                "_SYSTEMD_INVOCATION_ID",
                "UNIT",
                "USER_UNIT",
                "INVOCATION_ID",
                "_COMM",
        };

        for (size_t i = 0; i < ELEMENTS_OF(names); i++)
                if (strcmp(names[i], name) == 0)
                        return true;
        return false;
}

static const char *line_get_field(const LogLine *line, const char *name, size_t *ret_n_bytes) {
        JournalReader *reader = line->reader;
        bool is_compressed = false;
        const char *bytes;

        bytes = journal_entry_field(&reader->entry, name, ret_n_bytes, &is_compressed);
        if (bytes || !is_compressed || is_always_short(name))
                return bytes;
        return helper_get_field(reader, name, ret_n_bytes);
}
