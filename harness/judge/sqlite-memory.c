/* SPDX-License-Identifier: MIT */
#include "judge/sqlite-memory.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct MemoryVfs {
        sqlite3_vfs vfs;
        char name[32];
        int folder_fd;
        bool has_deleted_journal; /* a hot journal that SQLite rolled back is gone, as far as SQLite can see */
};

typedef struct MemoryFile {
        sqlite3_file file; /* first: SQLite knows only this */
        uint8_t *bytes;
        size_t n_bytes;
        size_t n_mapped;    /* > 0: bytes are a mapping so long, else they are on the heap */
        size_t n_allocated; /* of the heap's */
} MemoryFile;

static void file_release(MemoryFile *file) {
        if (file->n_mapped > 0)
                (void) munmap(file->bytes, file->n_mapped);
        else
                free(file->bytes);
        file->bytes = NULL;
        file->n_bytes = file->n_mapped = file->n_allocated = 0;
}

static int on_close(sqlite3_file *file) {
        file_release((MemoryFile *) file);
        return SQLITE_OK;
}

static int on_read(sqlite3_file *base, void *buffer, int n, sqlite3_int64 offset) {
        MemoryFile *file = (MemoryFile *) base;
        size_t from = (size_t) offset, n_wanted = (size_t) n, n_there;

        n_there = from < file->n_bytes ? file->n_bytes - from : 0;
        if (n_there > n_wanted)
                n_there = n_wanted;
        if (n_there > 0)
                memcpy(buffer, file->bytes + from, n_there);
        /* The interface demands zeroes behind the end. */
        memset((uint8_t *) buffer + n_there, 0, n_wanted - n_there);
        return n_there == n_wanted ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

/* A mapping cannot grow beyond its file: then it moves to the heap. Twice as much each time: a sort that spills
 * writes page by page. */
static int file_move(MemoryFile *file, size_t n_wanted) {
        size_t n_allocated = n_wanted <= SIZE_MAX / 2 ? 2 * n_wanted : n_wanted;
        uint8_t *bytes = malloc(n_allocated);
        size_t n_bytes = file->n_bytes;

        if (!bytes)
                return SQLITE_IOERR_NOMEM;
        if (n_bytes > 0)
                memcpy(bytes, file->bytes, n_bytes);
        file_release(file);
        file->bytes = bytes;
        file->n_bytes = n_bytes;
        file->n_allocated = n_allocated;
        return SQLITE_OK;
}

static int file_grow(MemoryFile *file, size_t n_bytes) {
        int code = SQLITE_OK;

        if (n_bytes <= file->n_bytes)
                return SQLITE_OK;
        if (n_bytes > file->n_allocated)
                code = file_move(file, n_bytes);
        if (code != SQLITE_OK)
                return code;
        /* What was truncated away before must not come back. */
        memset(file->bytes + file->n_bytes, 0, n_bytes - file->n_bytes);
        file->n_bytes = n_bytes;
        return SQLITE_OK;
}

static int on_write(sqlite3_file *base, const void *buffer, int n, sqlite3_int64 offset) {
        MemoryFile *file = (MemoryFile *) base;
        int code = file_grow(file, (size_t) offset + (size_t) n);

        if (code == SQLITE_OK)
                memcpy(file->bytes + offset, buffer, (size_t) n);
        return code;
}

static int on_truncate(sqlite3_file *base, sqlite3_int64 size) {
        MemoryFile *file = (MemoryFile *) base;

        if ((size_t) size > file->n_bytes)
                return file_grow(file, (size_t) size);
        file->n_bytes = (size_t) size;
        return SQLITE_OK;
}

static int on_sync(sqlite3_file *file, int flags) {
        return SQLITE_OK;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *ret_size) {
        *ret_size = (sqlite3_int64) ((MemoryFile *) file)->n_bytes;
        return SQLITE_OK;
}

static int on_lock(sqlite3_file *file, int level) {
        return SQLITE_OK;
}

static int on_check_lock(sqlite3_file *file, int *ret_is_locked) {
        *ret_is_locked = 0;
        return SQLITE_OK;
}

static int on_control(sqlite3_file *file, int operation, void *argument) {
        return SQLITE_NOTFOUND;
}

static int on_sector_size(sqlite3_file *file) {
        return 0;
}

static int on_characteristics(sqlite3_file *file) {
        return 0;
}

/* Version 1 has no shared memory: with locking_mode=EXCLUSIVE a WAL needs none. */
static const sqlite3_io_methods memory_methods = {
        .iVersion = 1,
        .xClose = on_close,
        .xRead = on_read,
        .xWrite = on_write,
        .xTruncate = on_truncate,
        .xSync = on_sync,
        .xFileSize = on_size,
        .xLock = on_lock,
        .xUnlock = on_lock,
        .xCheckReservedLock = on_check_lock,
        .xFileControl = on_control,
        .xSectorSize = on_sector_size,
        .xDeviceCharacteristics = on_characteristics,
};

static int file_map(MemoryFile *file, int fd) {
        struct stat stat;
        void *bytes;

        if (fstat(fd, &stat) < 0)
                return SQLITE_IOERR_FSTAT;
        if (stat.st_size == 0)
                return SQLITE_OK;
        bytes = mmap(NULL, (size_t) stat.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
                return SQLITE_IOERR_READ;
        file->bytes = bytes;
        file->n_bytes = file->n_mapped = (size_t) stat.st_size;
        return SQLITE_OK;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags, int *ret_flags) {
        const MemoryVfs *memory = vfs->pAppData;
        MemoryFile *file = (MemoryFile *) base;
        CLEANUP_CLOSE int fd = -EBADF;
        int code = SQLITE_OK;

        *file = (MemoryFile){ 0 };
        if (name)
                fd = openat(memory->folder_fd, name, O_RDONLY | O_CLOEXEC);
        /* A temporary file has no name; a file that is to be created begins empty. */
        if (name && fd < 0 && !(flags & SQLITE_OPEN_CREATE))
                return SQLITE_CANTOPEN;
        if (fd >= 0)
                code = file_map(file, fd);
        if (code != SQLITE_OK)
                return code;
        file->file.pMethods = &memory_methods;
        if (ret_flags)
                *ret_flags = flags;
        return SQLITE_OK;
}

static bool is_journal(const char *name) {
        size_t n = strlen(name);

        return n > strlen("-journal") && strcmp(name + n - strlen("-journal"), "-journal") == 0;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int has_to_sync) {
        MemoryVfs *memory = vfs->pAppData;

        if (is_journal(name))
                memory->has_deleted_journal = true;
        return SQLITE_OK;
}

static int on_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_exists) {
        const MemoryVfs *memory = vfs->pAppData;
        struct stat stat;

        *ret_exists = fstatat(memory->folder_fd, name, &stat, 0) == 0 && stat.st_size > 0;
        if (is_journal(name) && memory->has_deleted_journal)
                *ret_exists = 0;
        return SQLITE_OK;
}

static int on_full_path(sqlite3_vfs *vfs, const char *name, int n_bytes, char *ret_path) {
        if ((size_t) n_bytes <= strlen(name))
                return SQLITE_CANTOPEN;
        strcpy(ret_path, name);
        return SQLITE_OK;
}

static int on_randomness(sqlite3_vfs *vfs, int n_bytes, char *ret_bytes) {
        memset(ret_bytes, 0, (size_t) n_bytes);
        return n_bytes;
}

static int on_sleep(sqlite3_vfs *vfs, int usec) {
        return usec;
}

static int on_time(sqlite3_vfs *vfs, double *ret_julian_day) {
        *ret_julian_day = 2440587.5; /* 1970-01-01 */
        return SQLITE_OK;
}

int memory_vfs_new(int folder_fd, MemoryVfs **ret_vfs) {
        CLEANUP(memory_vfs_free_p) MemoryVfs *memory = calloc(1, sizeof(*memory));

        if (!memory)
                return -ENOMEM;
        memory->folder_fd = fcntl(folder_fd, F_DUPFD_CLOEXEC, 3);
        if (memory->folder_fd < 0)
                return -errno;
        (void) snprintf(memory->name, sizeof(memory->name), "copy-%p", (void *) memory);
        memory->vfs = (sqlite3_vfs){
                .iVersion = 1,
                .szOsFile = sizeof(MemoryFile),
                .mxPathname = 512,
                .zName = memory->name,
                .pAppData = memory,
                .xOpen = on_open,
                .xDelete = on_delete,
                .xAccess = on_access,
                .xFullPathname = on_full_path,
                .xRandomness = on_randomness,
                .xSleep = on_sleep,
                .xCurrentTime = on_time,
        };
        if (sqlite3_vfs_register(&memory->vfs, 0) != SQLITE_OK)
                return -ENOMEM;
        *ret_vfs = TAKE_PTR(memory);
        return 0;
}

MemoryVfs *memory_vfs_free(MemoryVfs *memory) {
        if (!memory)
                return NULL;
        (void) sqlite3_vfs_unregister(&memory->vfs);
        close_p(&memory->folder_fd);
        free(memory);
        return NULL;
}

const char *memory_vfs_name(const MemoryVfs *memory) {
        return memory->name;
}
