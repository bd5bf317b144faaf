/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>

#include "observe/file-copy.h"
#include "observe/journal-watch.h"

static int make_folder(int at_fd, const char *name) {
        if (mkdirat(at_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        int fd = openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        return fd < 0 ? -errno : fd;
}

/* The head is read first and counts only entries that were complete by then, so a copy of a live file is a good file.
 */
static int copy_journal_file(
                int source_folder_fd, int target_folder_fd, const char *name, const JournalWatch *watch) {
        CLEANUP_CLOSE int source_fd = -EBADF, target_fd = -EBADF;
        struct stat status;

        source_fd = openat(source_folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (source_fd < 0)
                return errno == ENOENT ? 0 : -errno;
        if (fstat(source_fd, &status) < 0)
                return -errno;
        if (watch && !journal_watch_reads(watch, status.st_dev, status.st_ino))
                return 0;
        target_fd = openat(target_folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (target_fd < 0)
                return -errno;
        return file_copy(source_fd, target_fd, NULL, NULL);
}

static int copy_folder(int at_fd, const char *path, int target_fd, const JournalWatch *watch, bool is_top) {
        DIR *folder;
        int r = 0;
        int fd = openat(at_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        folder = fdopendir(fd);
        if (!folder) {
                r = -errno;
                (void) close(fd);
                return r;
        }
        for (struct dirent *item; r >= 0 && (item = readdir(folder));) {
                sd_id128_t id;

                if (strstr(item->d_name, ".journal")) {
                        r = copy_journal_file(fd, target_fd, item->d_name, watch);
                } else if (is_top && sd_id128_from_string(item->d_name, &id) >= 0) {
                        CLEANUP_CLOSE int sub_fd = make_folder(target_fd, item->d_name);

                        r = sub_fd < 0 ? sub_fd : copy_folder(fd, item->d_name, sub_fd, watch, false);
                }
        }
        (void) closedir(folder);
        return r;
}

int journal_copy(const char *folder, const JournalWatch *watch, int evidence_fd, Error *reterr) {
        CLEANUP_CLOSE int target_fd = make_folder(evidence_fd, "journal");
        int r;

        r = target_fd < 0 ? target_fd : copy_folder(AT_FDCWD, folder, target_fd, watch, true);
        return r < 0 ? error_set_errno(reterr, r, "copying the journal of %s into the evidence", folder) : 0;
}
