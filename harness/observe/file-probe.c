/* SPDX-License-Identifier: MIT */
#include "observe/file-probe.h"

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>

#include "base/quantity.h"
#include "observe/file-copy.h"

static const char *type_name(mode_t mode) {
        switch (mode & S_IFMT) {
        case S_IFREG:
                return "file";
        case S_IFDIR:
                return "directory";
        case S_IFLNK:
                return "symlink"; /* one that leads nowhere */
        case S_IFSOCK:
                return "socket";
        case S_IFIFO:
                return "fifo";
        case S_IFCHR:
                return "character device";
        case S_IFBLK:
                return "block device";
        default:
                return "unknown";
        }
}

static void set_stat(Entry *entry, const struct stat *stat) {
        const struct passwd *user = getpwuid(stat->st_uid);
        const struct group *group = getgrgid(stat->st_gid);
        char mode[8];

        (void) snprintf(mode, sizeof(mode), "%04o", stat->st_mode & 07777);
        entry_set(entry, "type", type_name(stat->st_mode));
        entry_set(entry, "mode", mode);
        if (user)
                entry_set(entry, "owner", user->pw_name);
        if (group)
                entry_set(entry, "group", group->gr_name);
        entry_set_number(entry, "uid", stat->st_uid);
        entry_set_number(entry, "gid", stat->st_gid);
        entry_set_number(entry, "size", stat->st_size);
        entry_set_number(
                        entry, "mtime", stat->st_mtim.tv_sec * (int64_t) USEC_PER_SEC + stat->st_mtim.tv_nsec / 1000);
        entry_set_number(entry, "inode", (int64_t) stat->st_ino);
        entry_set_number(entry, "links", (int64_t) stat->st_nlink);
}

static int set_bytes(Entry *entry, int fd) {
        CLEANUP_FREE char *bytes = malloc(FILE_PROBE_MAX_BYTES + 1);
        char text[SHA256_TEXT_MAX];
        size_t n_bytes = 0;
        Sha256 hash;
        ssize_t n;
        int r;

        if (!bytes)
                return -ENOMEM;
        while (n_bytes <= FILE_PROBE_MAX_BYTES &&
                        (n = pread(fd, bytes + n_bytes, FILE_PROBE_MAX_BYTES + 1 - n_bytes, (off_t) n_bytes)) != 0) {
                if (n < 0)
                        return -errno;
                n_bytes += (size_t) n;
        }
        if (n_bytes > FILE_PROBE_MAX_BYTES) {
                n_bytes = FILE_PROBE_MAX_BYTES;
                entry_set(entry, "truncated", "yes");
        }
        entry_set_bytes(entry, "bytes", bytes, n_bytes);

        sha256_init(&hash);
        r = file_copy(fd, -1, &hash, NULL);
        if (r >= 0)
                entry_set(entry, "sha256", sha256_text(&hash, text));
        return r;
}

/* What is told is of one file, also where another one comes into its place meanwhile. */
static int fill_from(Entry *entry, const char *path) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat stat;
        int r = fd < 0 ? -errno : 0;

        /* Gone since it was looked at: then it is not there. */
        if (r == -ENOENT)
                return r;
        if ((fd >= 0 ? fstat(fd, &stat) : fstatat(AT_FDCWD, path, &stat, 0)) < 0)
                return -errno;
        set_stat(entry, &stat);
        return r < 0 || !S_ISREG(stat.st_mode) ? r : set_bytes(entry, fd);
}

/* Fills @entry; a negative errno is what the file system said. */
static int fill(Entry *entry, const char *path) {
        char target[PATH_MAX];
        struct stat stat;
        ssize_t n;

        n = readlink(path, target, sizeof(target));
        if (n >= 0)
                entry_set_bytes(entry, "target", target, (size_t) n);
        if (fstatat(AT_FDCWD, path, &stat, 0) < 0) {
                int r = -errno;

                if (n >= 0 && fstatat(AT_FDCWD, path, &stat, AT_SYMLINK_NOFOLLOW) == 0)
                        set_stat(entry, &stat);
                return r;
        }
        /* Opening a FIFO or a device does something; only files are read. */
        if (S_ISREG(stat.st_mode))
                return fill_from(entry, path);
        set_stat(entry, &stat);
        return 0;
}

int file_probe(Observer *observer, const char *path) {
        CLEANUP(entry_free_p) Entry *entry = NULL;
        uint64_t asked_usec = clock_now_usec();
        int r;

        entry = observer_entry(observer, SOURCE_FILE, ENTRY_FILE, 0, NULL);
        if (!entry)
                return observer_append(observer, NULL);
        entry_set(entry, "path", path);
        entry_set_usec(entry, "asked", asked_usec);
        r = fill(entry, path);
        entry_set_number(entry, "errno", -r);
        entry->at_usec = entry->seen_usec = clock_now_usec();
        return observer_append(observer, TAKE_PTR(entry));
}
