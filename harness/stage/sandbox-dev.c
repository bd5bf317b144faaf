/* SPDX-License-Identifier: MIT */
/*
 * /dev of the sandbox: what systemd.exec(5) promises with PrivateDevices=, a console and terminals of its own. No
 * kmsg, no clock, no disk, no loop device. Source: systemd, docs/CONTAINER_INTERFACE.md, "Execution Environment".
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stage/sandbox.h"

typedef struct DeviceNode {
        const char *name;
        unsigned major, minor;
} DeviceNode;

/* Source: Documentation/admin-guide/devices.txt. */
static const DeviceNode nodes[] = {
        { "null", 1, 3 },
        { "zero", 1, 5 },
        { "full", 1, 7 },
        { "random", 1, 8 },
        { "urandom", 1, 9 },
        { "tty", 5, 0 },
};

static const struct {
        const char *name;
        const char *target;
} links[] = {
        { "fd", "/proc/self/fd" },
        { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" },
        { "stderr", "/proc/self/fd/2" },
        { "ptmx", "pts/ptmx" },
};

static const struct {
        const char *name;
        const char *fs_type;
        const char *options;
} mounts[] = {
        { "pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5" }, /* 5: tty, on every Debian */
        { "shm", "tmpfs", "mode=1777" },
        { "mqueue", "mqueue", NULL },
};

static int make_node(int dev_fd, const char *dev_path, const DeviceNode *node, Error *reterr) {
        CLEANUP_FREE char *host_path = NULL, *target = NULL;
        CLEANUP_CLOSE int fd = -EBADF;

        if (mknodat(dev_fd, node->name, S_IFCHR | 0666, makedev(node->major, node->minor)) >= 0)
                return fchmodat(dev_fd, node->name, 0666, 0) < 0
                                       ? error_set_errno(reterr, -errno, "cannot make /dev/%s", node->name)
                                       : 0;
        if (errno != EPERM)
                return error_set_errno(reterr, -errno, "cannot make /dev/%s", node->name);

        /* A container without CAP_MKNOD: the host's own node will do. */
        fd = openat(dev_fd, node->name, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
        if (asprintf(&host_path, "/dev/%s", node->name) < 0)
                host_path = NULL;
        if (asprintf(&target, "%s/%s", dev_path, node->name) < 0)
                target = NULL;
        if (!host_path || !target)
                return error_set(reterr, -ENOMEM, "out of memory");
        if (fd < 0 || mount(host_path, target, NULL, MS_BIND, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make /dev/%s", node->name);
        return 0;
}

static int mount_below(int dev_fd, const char *dev_path, const char *name, const char *fs_type, const char *options,
                Error *reterr) {
        CLEANUP_FREE char *target = NULL;

        if (asprintf(&target, "%s/%s", dev_path, name) < 0) {
                target = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        if (mkdirat(dev_fd, name, 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make /dev/%s", name);
        if (mount(fs_type, target, fs_type, MS_NOSUID | MS_NOEXEC, options) < 0)
                return error_set_errno(reterr, -errno, "mount of %s on /dev/%s of the sandbox", fs_type, name);
        return 0;
}

/*
 * systemd writes what it cannot log elsewhere to /dev/console, and only to a terminal: a regular file or a pipe in
 * its place would be refused, and the words with which it dies would be lost.
 */
static int make_console(int dev_fd, const char *dev_path, int *ret_console_fd, Error *reterr) {
        CLEANUP_FREE char *source = NULL, *target = NULL;
        CLEANUP_CLOSE int master_fd = -EBADF;
        CLEANUP_CLOSE int node_fd = -EBADF;
        int number, unlock = 0;

        master_fd = openat(dev_fd, "pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
        if (master_fd < 0 || ioctl(master_fd, TIOCSPTLCK, &unlock) < 0 || ioctl(master_fd, TIOCGPTN, &number) < 0)
                return error_set_errno(reterr, -errno, "cannot make a terminal for /dev/console of the sandbox");

        node_fd = openat(dev_fd, "console", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        if (asprintf(&source, "%s/pts/%d", dev_path, number) < 0)
                source = NULL;
        if (asprintf(&target, "%s/console", dev_path) < 0)
                target = NULL;
        if (!source || !target)
                return error_set(reterr, -ENOMEM, "out of memory");
        if (node_fd < 0 || mount(source, target, NULL, MS_BIND, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make /dev/console of the sandbox");

        *ret_console_fd = TAKE_FD(master_fd);
        return 0;
}

static int fill_dev(int dev_fd, const char *dev_path, Error *reterr) {
        int r = 0;

        FOREACH_ARRAY (node, nodes, ELEMENTS_OF(nodes))
                if (r >= 0)
                        r = make_node(dev_fd, dev_path, node, reterr);
        FOREACH_ARRAY (link, links, ELEMENTS_OF(links))
                if (r >= 0 && symlinkat(link->target, dev_fd, link->name) < 0)
                        r = error_set_errno(reterr, -errno, "cannot make /dev/%s", link->name);
        FOREACH_ARRAY (item, mounts, ELEMENTS_OF(mounts))
                if (r >= 0)
                        r = mount_below(dev_fd, dev_path, item->name, item->fs_type, item->options, reterr);
        return r;
}

int sandbox_mount_dev(const SandboxRoot *root, int *ret_console_fd, Error *reterr) {
        CLEANUP_FREE char *dev_path = NULL;
        CLEANUP_CLOSE int dev_fd = -EBADF;
        int r;

        if (asprintf(&dev_path, "%s/dev", sandbox_root_path(root)) < 0) {
                dev_path = NULL;
                return error_set(reterr, -ENOMEM, "out of memory");
        }
        if (mount("tmpfs", dev_path, "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=4m") < 0)
                return error_set_errno(reterr, -errno, "mount of a tmpfs on /dev of the sandbox");
        dev_fd = open(dev_path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        if (dev_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open /dev of the sandbox");

        r = fill_dev(dev_fd, dev_path, reterr);
        return r < 0 ? r : make_console(dev_fd, dev_path, ret_console_fd, reterr);
}
