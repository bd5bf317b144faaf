/* SPDX-License-Identifier: MIT */
/*
 * The root of the sandbox of an ordinary user, where an overlay of / is not to be had.
 *
 * The kernel lets nobody look below a mount that somebody more privileged has made, so a folder with mounts below it
 * cannot be the lower layer of an overlay. Such folders (/ always is one) are made anew, in memory: what is in them
 * is an overlay where it is a folder without mounts, a folder made anew where it has some, a copy or a bind mount
 * where it is a file. Source: mount_namespaces(7), "Restrictions on mount namespaces"; kernel, fs/namespace.c,
 * clone_private_mount().
 *
 * And what belongs to users who have no id in our namespace cannot be written to, not even by its root. The folders
 * in which daemons and tests make files are therefore put into the upper layers, with our root as their owner.
 */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "stage/mount-table.h"
#include "stage/sandbox-layers.h"
#include "stage/sandbox.h"

/* A larger file beside a mount is bound, not copied: no copy is worth so much memory. */
#define COPY_MAX_BYTES (1 << 20)

/* Where something may be made, in all of them and not in what else lies there. Source: hier(7). */
static const char *const opened_paths[] = {
        "/etc",
        "/etc/systemd",
        "/etc/systemd/system",
        "/home",
        "/media",
        "/mnt",
        "/opt",
        "/root",
        "/srv",
        "/tmp",
        "/usr",
        "/usr/bin",
        "/usr/lib",
        "/usr/lib/systemd",
        "/usr/lib/systemd/system",
        "/usr/libexec",
        "/usr/local",
        "/usr/local/bin",
        "/usr/local/etc",
        "/usr/local/lib",
        "/usr/local/sbin",
        "/usr/local/share",
        "/usr/sbin",
        "/usr/share",
        "/var",
        "/var/cache",
        "/var/lib",
        "/var/local",
        "/var/log",
        "/var/mail",
        "/var/opt",
        "/var/spool",
        "/var/tmp",
};

typedef struct Skeleton {
        Layers *layers;
        const char *staging_path;
        const char *upper_path; /* of the layer that is the skeleton */
        const MountTable *table;
} Skeleton;

static int skeleton_add_folder(const Skeleton *skeleton, const char *path, Error *reterr);

static bool has_mount_below(const Skeleton *skeleton, const char *path) {
        FOREACH_ARRAY (entry, skeleton->table->entries, skeleton->table->n_entries)
                if (path_is_below(entry->path, path) && strcmp(entry->path, path) != 0 &&
                                strcmp(entry->path, skeleton->staging_path) != 0)
                        return true;
        return false;
}

/* An interface of the kernel is mounted there: the folder stays empty. */
static bool is_api(const Skeleton *skeleton, const char *path) {
        FOREACH_ARRAY (entry, skeleton->table->entries, skeleton->table->n_entries)
                if (strcmp(entry->path, path) == 0 && fs_type_is_api(entry->fs_type) && mount_entry_is_visible(entry))
                        return true;
        return false;
}

static char *upper_of(const Skeleton *skeleton, const char *path) {
        char *upper_path;

        return asprintf(&upper_path, "%s%s", skeleton->upper_path, path) < 0 ? NULL : upper_path;
}

/* What the host has there is out of our reach: a link nobody can read, a file of another user's folder. */
static bool is_out_of_reach(int code) {
        return code == -EACCES || code == -ENOENT || code == -EPERM;
}

static int copy_link(const Skeleton *skeleton, const char *path) {
        CLEANUP_FREE char *upper_path = upper_of(skeleton, path);
        char target[4096];
        ssize_t n = readlink(path, target, sizeof(target) - 1);

        if (!upper_path)
                return -ENOMEM;
        if (n < 0)
                return -errno;
        target[n] = '\0';
        return symlink(target, upper_path) < 0 ? -errno : 0;
}

static int skeleton_add_file(const Skeleton *skeleton, const char *path, const struct stat *st, Error *reterr) {
        const StageFile empty = { .path = path }, copy = { .path = path, .source_path = path };
        bool is_copied = S_ISREG(st->st_mode) && st->st_size <= COPY_MAX_BYTES && access(path, R_OK) >= 0;
        CLEANUP_CLOSE int upper_fd = open(skeleton->upper_path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        Layer *layer;
        int r;

        if (upper_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open %s", skeleton->upper_path);
        r = sandbox_place_file(upper_fd, is_copied ? &copy : &empty, reterr);
        if (r < 0 || is_copied)
                return r;
        r = layers_add(skeleton->layers, skeleton->staging_path, path, &layer, reterr);
        if (r >= 0)
                layer->is_bound = true;
        return r;
}

static int skeleton_add(const Skeleton *skeleton, const char *path, Error *reterr) {
        struct stat st;
        int r = 0;

        if (lstat(path, &st) < 0)
                r = -errno;
        else if (S_ISDIR(st.st_mode))
                return skeleton_add_folder(skeleton, path, reterr);
        else if (S_ISLNK(st.st_mode))
                r = copy_link(skeleton, path);
        else if (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode))
                return skeleton_add_file(skeleton, path, &st, reterr);
        return r >= 0 || is_out_of_reach(r) ? 0 : error_set_errno(reterr, r, "cannot show %s on the stage", path);
}

/* Everything in @path, a folder that is made anew. */
static int skeleton_fill(const Skeleton *skeleton, const char *path, Error *reterr) {
        DIR *folder = opendir(path);
        int r = 0;

        if (!folder)
                return error_set_errno(reterr, -errno, "cannot list %s", path);
        for (struct dirent *entry; r >= 0 && (entry = readdir(folder));) {
                CLEANUP_FREE char *child = NULL;

                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (asprintf(&child, "%s/%s", strcmp(path, "/") == 0 ? "" : path, entry->d_name) < 0) {
                        child = NULL;
                        r = error_set(reterr, -ENOMEM, "out of memory");
                } else
                        r = skeleton_add(skeleton, child, reterr);
        }
        (void) closedir(folder);
        return r;
}

/* One that we cannot look into is there, and empty. */
static int skeleton_add_folder(const Skeleton *skeleton, const char *path, Error *reterr) {
        CLEANUP_FREE char *upper_path = upper_of(skeleton, path);
        int r;

        if (!upper_path)
                return error_set(reterr, -ENOMEM, "out of memory");
        r = mkdir_like(upper_path, path);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make a folder for %s", path);
        if (path_is_own(path) || is_api(skeleton, path) || access(path, R_OK | X_OK) < 0)
                return 0;
        if (has_mount_below(skeleton, path))
                return skeleton_fill(skeleton, path, reterr);
        return layers_add(skeleton->layers, skeleton->staging_path, path, NULL, reterr);
}

/* Folders in @path that cannot be looked into: empty ones, else nothing could be made in them either. Not those of
 * other people in /tmp, which nobody counts on.
 */
static int open_children(Layers *layers, const char *path, Error *reterr) {
        DIR *folder;
        struct stat st;
        int r = 0;

        if (stat(path, &st) < 0 || (st.st_mode & S_ISVTX))
                return 0;
        folder = opendir(path);

        for (struct dirent *entry; r >= 0 && folder && (entry = readdir(folder));) {
                CLEANUP_FREE char *child = NULL;
                Layer *layer;

                if (entry->d_type != DT_DIR || strcmp(entry->d_name, "..") == 0 ||
                                faccessat(dirfd(folder), entry->d_name, R_OK | X_OK, 0) >= 0)
                        continue;
                if (asprintf(&child, "%s/%s", path, entry->d_name) < 0) {
                        child = NULL;
                        r = error_set(reterr, -ENOMEM, "out of memory");
                        break;
                }
                if (strcmp(layers_find(layers, child)->host_path, child) == 0)
                        continue; /* it is one already */
                r = layers_add(layers, layers->staging_path, child, &layer, reterr);
                if (r >= 0)
                        layer->is_empty = true;
        }
        if (folder)
                (void) closedir(folder);
        return r;
}

int layers_open(Layers *layers, const char *path, Error *reterr) {
        CLEANUP_FREE char *canonical = realpath(path, NULL);
        Layer *layer;
        int r;

        if (!canonical || path_is_own(canonical) || access(canonical, R_OK | X_OK) < 0)
                return 0;
        layer = layers_find(layers, canonical);
        if (!layer->is_folder || layer->is_empty)
                return 0; /* made anew, so it is ours already */
        r = layer_make_path(layer, canonical, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make %s writable on the stage", canonical);
        return open_children(layers, canonical, reterr);
}

int layers_read_unprivileged(Layers *layers, const char *staging_path, Error *reterr) {
        CLEANUP(mount_table_free_p) MountTable *table = NULL;
        CLEANUP_FREE char *upper_path = NULL;
        Skeleton skeleton = { .layers = layers, .staging_path = staging_path };
        Layer *root;
        int r;

        layers->is_unprivileged = true;
        layers->staging_path = staging_path;
        r = mount_table_read(&table, reterr);
        if (r >= 0)
                r = layers_add(layers, staging_path, "/", &root, reterr);
        if (r < 0)
                return r;
        root->is_empty = true;
        upper_path = strdup(root->upper_path); /* the layer moves when others are added */
        if (!upper_path)
                return error_set(reterr, -ENOMEM, "out of memory");
        skeleton.upper_path = upper_path;
        skeleton.table = table;
        r = skeleton_fill(&skeleton, "/", reterr);
        layers_sort(layers);
        FOREACH_ARRAY (path, opened_paths, ELEMENTS_OF(opened_paths))
                if (r >= 0)
                        r = layers_open(layers, *path, reterr);
        return r;
}
