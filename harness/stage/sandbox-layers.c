/* SPDX-License-Identifier: MIT */
/*
 * Overlays of the host's file systems. Source: Documentation/filesystems/overlayfs.rst.
 *
 * A directory is hidden by an "opaque" directory put into the upper layer before the overlay is mounted: no mount of
 * its own, so to a daemon it is an ordinary directory that can be renamed and removed, and systemd sees no mount
 * unit. In a user namespace a tmpfs has no attributes to say "opaque" with (before Linux 6.6): there each entry of
 * the directory is covered by a whiteout of its own, which anybody may make.
 */
#include "stage/sandbox-layers.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "stage/mount-table.h"
#include "stage/rootless.h"

void layers_done(Layers *layers) {
        FOREACH_ARRAY (layer, layers->items, layers->n_items) {
                free(layer->host_path);
                free(layer->upper_path);
                free(layer->work_path);
        }
        free(layers->items);
        *layers = (Layers){ 0 };
}

bool path_is_own(const char *path) {
        static const char *const own[] = { "/proc", "/sys", "/dev", "/run" };

        FOREACH_ARRAY (folder, own, ELEMENTS_OF(own))
                if (path_is_below(path, *folder))
                        return true;
        return false;
}

/* Interfaces of the kernel, wherever they are mounted: a copy of one would be nonsense. */
bool fs_type_is_api(const char *fs_type) {
        static const char *const api[] = {
                "proc",
                "sysfs",
                "devtmpfs",
                "devpts",
                "cgroup",
                "cgroup2",
                "mqueue",
                "hugetlbfs",
                "debugfs",
                "tracefs",
                "securityfs",
                "selinuxfs",
                "smackfs",
                "pstore",
                "bpf",
                "binfmt_misc",
                "autofs",
                "configfs",
                "efivarfs",
                "fusectl",
                "rpc_pipefs",
                "nsfs",
        };

        FOREACH_ARRAY (name, api, ELEMENTS_OF(api))
                if (strcmp(fs_type, *name) == 0)
                        return true;
        return false;
}

/* How users and groups are shown that have no id in a user namespace. Source: user_namespaces(7), "Unmapped user and
 * group IDs". */
#define OVERFLOW_ID 65534

int mkdir_like(const char *path, const char *host_path) {
        bool is_rootless = rootless_is_entered();
        struct stat st;

        if (lstat(host_path, &st) < 0)
                return -errno;
        if (mkdir(path, 0700) < 0)
                return errno == EEXIST ? 0 : -errno;
        if (is_rootless && st.st_uid == OVERFLOW_ID)
                st.st_uid = 0;
        if (is_rootless && st.st_gid == OVERFLOW_ID)
                st.st_gid = 0;
        if (chown(path, st.st_uid, st.st_gid) < 0 || chmod(path, st.st_mode & 07777) < 0)
                return -errno;
        return 0;
}

static uint64_t mount_id_of(const char *path) {
        struct statx sx;

        return statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_MNT_ID, &sx) < 0 ? 0 : sx.stx_mnt_id;
}

static unsigned long mount_flags_of(const char *host_path) {
        struct statvfs fs;
        unsigned long flags = 0;

        if (statvfs(host_path, &fs) < 0)
                return 0;
        flags |= fs.f_flag & ST_NOSUID ? MS_NOSUID : 0;
        flags |= fs.f_flag & ST_NODEV ? MS_NODEV : 0;
        flags |= fs.f_flag & ST_NOEXEC ? MS_NOEXEC : 0;
        /* A read-only root (an image) is no statement about what a daemon may write; another read-only mount is. */
        flags |= (fs.f_flag & ST_RDONLY) && mount_id_of(host_path) != mount_id_of("/") ? MS_RDONLY : 0;
        return flags;
}

static int layer_make_folders(Layer *layer, const char *staging_path, size_t number) {
        int r;

        if (asprintf(&layer->upper_path, "%s/upper%zu", staging_path, number) < 0) {
                layer->upper_path = NULL;
                return -ENOMEM;
        }
        if (asprintf(&layer->work_path, "%s/work%zu", staging_path, number) < 0) {
                layer->work_path = NULL;
                return -ENOMEM;
        }
        r = mkdir_like(layer->upper_path, layer->host_path);
        if (r < 0)
                return r;
        return mkdir(layer->work_path, 0700) < 0 ? -errno : 0;
}

int layers_add(Layers *layers, const char *staging_path, const char *host_path, Layer **ret_layer, Error *reterr) {
        struct stat st;
        Layer *items, *layer;
        int r = 0;

        if (lstat(host_path, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot show %s on the stage", host_path);

        items = reallocarray(layers->items, layers->n_items + 1, sizeof(Layer));
        if (!items)
                return error_set(reterr, -ENOMEM, "out of memory");
        layers->items = items;
        layer = &layers->items[layers->n_items];
        *layer = (Layer){
                .host_path = strdup(host_path),
                .is_folder = S_ISDIR(st.st_mode),
                .is_unprivileged = layers->is_unprivileged,
        };
        if (!layer->host_path)
                return error_set(reterr, -ENOMEM, "out of memory");
        layers->n_items++;

        if (layer->is_folder) {
                layer->flags = mount_flags_of(host_path);
                r = layer_make_folders(layer, staging_path, layers->n_made++);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make a layer for %s", host_path);
        if (ret_layer)
                *ret_layer = layer;
        return 0;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(((const Layer *) a)->host_path, ((const Layer *) b)->host_path);
}

/* A path sorts behind every prefix of it: parents are mounted first. */
void layers_sort(Layers *layers) {
        qsort(layers->items, layers->n_items, sizeof(Layer), compare_paths);
}

int layers_read(Layers *layers, const char *staging_path, Error *reterr) {
        CLEANUP(mount_table_free_p) MountTable *table = NULL;
        int r;

        r = mount_table_read(&table, reterr);
        if (r >= 0)
                r = layers_add(layers, staging_path, "/", NULL, reterr);
        if (r < 0)
                return r;

        FOREACH_ARRAY (entry, table->entries, table->n_entries) {
                if (strcmp(entry->path, "/") == 0 || path_is_own(entry->path) || fs_type_is_api(entry->fs_type) ||
                                !mount_entry_is_visible(entry))
                        continue;
                r = layers_add(layers, staging_path, entry->path, NULL, reterr);
                if (r < 0)
                        return r;
        }
        layers_sort(layers);
        return 0;
}

Layer *layers_find(const Layers *layers, const char *path) {
        Layer *found = NULL;

        FOREACH_ARRAY (layer, layers->items, layers->n_items)
                if (path_is_below(path, layer->host_path))
                        found = layer;
        return found;
}

/* Every folder from the layer's root down to the path, which is cut in host_path at one slash after another. */
int layer_make_path(const Layer *layer, const char *path, char **ret_upper_path) {
        CLEANUP_FREE char *host_path = strdup(path);
        CLEANUP_FREE char *upper_path = NULL;
        size_t n_prefix = strcmp(layer->host_path, "/") == 0 ? 0 : strlen(layer->host_path);
        int r = 0;

        if (!host_path)
                return -ENOMEM;
        for (char *slash = host_path + n_prefix; slash && r >= 0;) {
                slash = *slash ? strchr(slash + 1, '/') : NULL;
                if (slash)
                        *slash = '\0';
                free(upper_path);
                if (asprintf(&upper_path, "%s%s", layer->upper_path, host_path + n_prefix) < 0) {
                        upper_path = NULL;
                        return -ENOMEM;
                }
                r = mkdir_like(upper_path, host_path);
                if (slash)
                        *slash = '/';
        }
        if (r >= 0 && ret_upper_path)
                *ret_upper_path = TAKE_PTR(upper_path);
        return r;
}

/* Source: overlayfs.rst, "whiteouts and opaque directories": a character device 0/0. */
static int cover_entries(const char *host_path, const char *upper_path) {
        CLEANUP_CLOSE int upper_fd = open(upper_path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        DIR *folder;
        int r = 0;

        if (upper_fd < 0)
                return -errno;
        folder = opendir(host_path);
        if (!folder)
                return -errno;
        for (struct dirent *entry; r >= 0 && (entry = readdir(folder));) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (mknodat(upper_fd, entry->d_name, S_IFCHR, makedev(0, 0)) < 0 && errno != EEXIST)
                        r = -errno; /* EEXIST: hidden by another name already */
        }
        (void) closedir(folder);
        return r;
}

int layers_hide(Layers *layers, const char *path, Error *reterr) {
        Layer *layer = layers_find(layers, path);
        CLEANUP_FREE char *upper_path = NULL;
        int r;

        if (layers->is_unprivileged && (layer->is_empty || access(path, R_OK | X_OK) < 0) &&
                        strcmp(path, layer->host_path) != 0) {
                r = layers_add(layers, layers->staging_path, path, &layer, reterr);
                if (r < 0)
                        return r;
                layer->is_empty = true;
                return 0;
        }
        if (!layer->is_folder || strcmp(path, layer->host_path) == 0) {
                layer->is_empty = true;
                return 0;
        }
        r = layer_make_path(layer, path, &upper_path);
        if (r >= 0 && layers->is_unprivileged)
                r = cover_entries(path, upper_path);
        else if (r >= 0 && setxattr(upper_path, "trusted.overlay.opaque", "y", 1, 0) < 0)
                r = -errno;
        return r < 0 ? error_set_errno(reterr, r, "cannot hide %s from the stage", path) : 0;
}

static int mount_overlay(const Layer *layer, const char *target_path) {
        CLEANUP_FREE char *options = NULL;

        /* By way of the working directory: a lower path with commas and colons in it would have to be escaped.
         * redirect_dir: without it rename(2) of a directory the host has fails, as it does on no other file system.
         */
        if (chdir(layer->host_path) < 0)
                return -errno;
        if (asprintf(&options, "lowerdir=.,upperdir=%s,workdir=%s,%s,index=off,metacopy=off,xino=auto",
                            layer->upper_path, layer->work_path,
                            layer->is_unprivileged ? "userxattr" : "redirect_dir=on") < 0) {
                options = NULL;
                return -ENOMEM;
        }
        return mount("overlay", target_path, "overlay", layer->flags, options) < 0 ? -errno : 0;
}

static int mount_read_only(const char *host_path, const char *target_path) {
        if (mount(host_path, target_path, NULL, MS_BIND, NULL) < 0)
                return -errno;
        return mount(NULL, target_path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0
                               ? -errno
                               : 0;
}

/* With all that is mounted below, which cannot be left away, and all flags, which cannot be taken away either. */
static int mount_read_only_unprivileged(const char *host_path, const char *target_path) {
        struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

        if (mount(host_path, target_path, NULL, MS_BIND | MS_REC, NULL) < 0)
                return -errno;
        return mount_setattr(AT_FDCWD, target_path, AT_RECURSIVE, &read_only, sizeof(read_only)) < 0 ? -errno : 0;
}

static int bind_read_only(const Layer *layer, const char *target_path) {
        return layer->is_unprivileged ? mount_read_only_unprivileged(layer->host_path, target_path)
                                      : mount_read_only(layer->host_path, target_path);
}

int layer_mount(const Layer *layer, const char *target_path, Error *reterr) {
        int r;

        if (layer->is_folder && layer->is_empty)
                r = mount(layer->upper_path, target_path, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
        else if (layer->is_folder)
                r = mount_overlay(layer, target_path);
        else
                r = bind_read_only(layer, target_path);
        /* Not every file system can be below an overlay (one that stands on two already cannot). The root has to. */
        if (r < 0 && layer->is_folder && strcmp(layer->host_path, "/") != 0)
                r = bind_read_only(layer, target_path);
        if (r == -EPERM)
                return error_set(reterr, r,
                                "mount of an overlay of %s: EPERM; agenttest needs CAP_SYS_ADMIN: run it as root (in "
                                "a "
                                "container: --privileged)",
                                layer->host_path);
        if (r == -ENODEV)
                return error_set(reterr, r,
                                "mount of an overlay of %s: this kernel has no overlayfs; `modprobe overlay` on the "
                                "host",
                                layer->host_path);
        return r < 0 ? error_set_errno(reterr, r, "mount of an overlay of %s", layer->host_path) : 0;
}
