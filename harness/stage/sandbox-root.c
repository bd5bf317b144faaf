/* SPDX-License-Identifier: MIT */
/* The root of the sandbox: everything the host sees, nothing the sandbox writes leaves it. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "stage/mount-table.h"
#include "stage/rootless.h"
#include "stage/sandbox-layers.h"
#include "stage/sandbox.h"

struct SandboxRoot {
        char *staging_path; /* a tmpfs of our mount namespace alone, over the run's folder */
        char *root_path;
        int root_fd;
        Layers layers;
        char **hidden_paths; /* canonical */
        size_t n_hidden_paths;
};

SandboxRoot *sandbox_root_free(SandboxRoot *root) {
        if (!root)
                return NULL;

        FOREACH_ARRAY (path, root->hidden_paths, root->n_hidden_paths)
                free(*path);
        free(root->hidden_paths);
        layers_done(&root->layers);
        close_p(&root->root_fd);
        free(root->root_path);
        free(root->staging_path);
        free(root);
        return NULL;
}

int sandbox_root_fd(const SandboxRoot *root) {
        return root->root_fd;
}

const char *sandbox_root_path(const SandboxRoot *root) {
        return root->root_path;
}

const char *sandbox_root_staging_path(const SandboxRoot *root) {
        return root->staging_path;
}

static int mount_staging(SandboxRoot *root, Error *reterr) {
        /* Before any other mount: what is mounted in here must not travel back to the host. */
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make the mounts of the sandbox private");
        if (mount("agenttest", root->staging_path, "tmpfs", MS_NODEV, "mode=0755") < 0)
                return error_set_errno(reterr, -errno, "cannot mount a tmpfs on %s", root->staging_path);
        if (mkdir(root->root_path, 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make %s", root->root_path);
        return 0;
}

int sandbox_root_new(const Sandbox *sandbox, SandboxRoot **ret_root, Error *reterr) {
        CLEANUP(sandbox_root_free_p) SandboxRoot *root = NULL;
        int r;

        root = calloc(1, sizeof(SandboxRoot));
        if (!root)
                return error_set(reterr, -ENOMEM, "out of memory");
        root->root_fd = -EBADF;
        root->staging_path = strdup(sandbox->run_folder);
        if (!root->staging_path || asprintf(&root->root_path, "%s/root", root->staging_path) < 0) {
                root->root_path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }

        r = mount_staging(root, reterr);
        if (r >= 0)
                r = rootless_is_entered() ? layers_read_unprivileged(&root->layers, root->staging_path, reterr)
                                          : layers_read(&root->layers, root->staging_path, reterr);
        if (r < 0)
                return r;
        *ret_root = TAKE_PTR(root);
        return 0;
}

static int hidden_paths_add(SandboxRoot *root, char **path) {
        char **paths;

        paths = reallocarray(root->hidden_paths, root->n_hidden_paths + 1, sizeof(char *));
        if (!paths)
                return -ENOMEM;
        root->hidden_paths = paths;
        root->hidden_paths[root->n_hidden_paths++] = TAKE_PTR(*path);
        return 0;
}

int sandbox_root_hide(SandboxRoot *root, const char *path, Error *reterr) {
        CLEANUP_FREE char *canonical = NULL;
        struct stat st;
        int r;

        /* By its canonical name: /lib/systemd and /usr/lib/systemd may be one directory. */
        canonical = realpath(path, NULL);
        if (!canonical)
                return errno == ENOENT || errno == ENOTDIR || errno == EACCES
                                       ? 0
                                       : error_set_errno(reterr, -errno, "cannot look at %s", path);
        if (stat(canonical, &st) < 0 || !S_ISDIR(st.st_mode) || path_is_own(canonical))
                return 0;
        if (strcmp(canonical, "/") == 0)
                return error_set(reterr, -EINVAL, "cannot hide / from the stage");

        r = layers_hide(&root->layers, canonical, reterr);
        if (r < 0)
                return r;
        r = hidden_paths_add(root, &canonical);
        return r < 0 ? error_set(reterr, r, "out of memory") : 0;
}

/* A file system of the host mounted somewhere below a directory that starts empty. */
static bool is_below_hidden(const SandboxRoot *root, const char *path) {
        FOREACH_ARRAY (hidden, root->hidden_paths, root->n_hidden_paths)
                if (path_is_below(path, *hidden) && strcmp(path, *hidden) != 0)
                        return true;
        return false;
}

/* A file that a container manager has mounted: its content, so that writing to it works and stays inside. */
static int layer_copy_file(const SandboxRoot *root, const Layer *layer, Error *reterr) {
        const StageFile file = { .path = layer->host_path, .source_path = layer->host_path };

        return sandbox_place_file(root->root_fd, &file, reterr);
}

static int layer_put(SandboxRoot *root, const Layer *layer, Error *reterr) {
        CLEANUP_FREE char *target_path = NULL;
        struct stat st;

        if (!layer->is_folder && !layer->is_bound && stat(layer->host_path, &st) >= 0 && S_ISREG(st.st_mode))
                return layer_copy_file(root, layer, reterr);
        if (asprintf(&target_path, "%s%s", root->root_path, layer->host_path) < 0) {
                target_path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        return layer_mount(layer, target_path, reterr);
}

int sandbox_root_open(SandboxRoot *root, const char *path, Error *reterr) {
        CLEANUP_FREE char *parent = strdup(path);
        int r = 0;

        if (!parent)
                return error_set(reterr, -ENOMEM, "out of memory");
        /* The folders above it that the host has; what it has not is made in the last of them. */
        for (char *slash; r >= 0 && root->layers.is_unprivileged && (slash = strrchr(parent, '/')) > parent;) {
                *slash = '\0';
                if (access(parent, F_OK) >= 0) {
                        r = layers_open(&root->layers, parent, reterr);
                        break;
                }
        }
        return r;
}

int sandbox_root_mount(SandboxRoot *root, Error *reterr) {
        int r;

        layers_sort(&root->layers);
        /* The first is "/". */
        r = layer_mount(&root->layers.items[0], root->root_path, reterr);
        if (r < 0)
                return r;
        root->root_fd = open(root->root_path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (root->root_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open %s", root->root_path);

        for (size_t i = 1; i < root->layers.n_items && r >= 0; i++)
                if (!is_below_hidden(root, root->layers.items[i].host_path))
                        r = layer_put(root, &root->layers.items[i], reterr);
        return r;
}

int sandbox_root_show(SandboxRoot *root, const char *path, Error *reterr) {
        CLEANUP_FREE char *canonical = NULL;
        Layer *layer;
        int r;

        canonical = realpath(path, NULL);
        if (!canonical)
                return error_set_errno(reterr, -errno, "cannot show %s on the stage", path);
        if (!path_is_own(canonical))
                return 0; /* visible, as all of the host is */

        r = sandbox_make_folders(root->root_fd, canonical, reterr);
        if (r >= 0)
                r = layers_add(&root->layers, root->staging_path, canonical, &layer, reterr);
        return r < 0 ? r : layer_put(root, layer, reterr);
}

/* Source: pivot_root(2), "pivot_root(".", ".")". */
int sandbox_root_enter(SandboxRoot *root, Error *reterr) {
        if (fchdir(root->root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
                return error_set_errno(reterr, -errno, "cannot make %s the root of the sandbox", root->root_path);
        if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot let go of the host's mounts");
        /* As systemd has it on a machine of its own: mounts reach the units' namespaces. */
        if (mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot share the mounts of the sandbox");
        return 0;
}
