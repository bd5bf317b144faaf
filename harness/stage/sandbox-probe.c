/* SPDX-License-Identifier: MIT */
/* What this machine lacks for a sandbox, found out by trying, one sentence each with the way to get it. */
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/text.h"
#include "stage/delegation.h"
#include "stage/rootless.h"
#include "stage/sandbox.h"

const char *sandbox_find_systemd(void) {
        static const char *const paths[] = { "/lib/systemd/systemd", "/usr/lib/systemd/systemd" };
        const char *own = getenv("AGENTTEST_SYSTEMD"); /* another build of systemd; docs/sandbox.md */

        if (own && own[0])
                return access(own, X_OK) < 0 ? NULL : own;
        FOREACH_ARRAY (path, paths, ELEMENTS_OF(paths))
                if (access(*path, X_OK) >= 0)
                        return *path;
        return NULL;
}

int sandbox_check_hierarchies(const CgroupHierarchies *hierarchies, Error *reterr) {
        if (hierarchies->n_items == 0)
                return error_set(reterr, -ENOENT,
                                "no cgroup file system is mounted: `mount -t cgroup2 none /sys/fs/cgroup`");
        if (cgroup_hierarchies_has_legacy(hierarchies) && !cgroup_hierarchies_find(hierarchies, "name=systemd"))
                return error_set(reterr, -ENOENT,
                                "cgroup v1 is mounted without the hierarchy systemd needs: `mkdir "
                                "/sys/fs/cgroup/systemd && "
                                "mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd`");
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items)
                if (access(item->mount_path, W_OK) < 0)
                        return error_set_errno(reterr, -errno,
                                        "%s is not writable (in a container: --privileged, or a writable mount of "
                                        "/sys/fs/cgroup)",
                                        item->mount_path);
        return 0;
}

static int probe_hierarchies(Error *reterr) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        int r;

        r = cgroup_hierarchies_read(&hierarchies, reterr);
        if (r >= 0 && delegation_path() && cgroup_hierarchies_restrict(hierarchies, delegation_path()) < 0)
                r = error_set(reterr, -ENOMEM, "out of memory");
        return r < 0 ? r : sandbox_check_hierarchies(hierarchies, reterr);
}

static int probe_systemd(Error *reterr) {
        const char *own = getenv("AGENTTEST_SYSTEMD");

        if (sandbox_find_systemd())
                return 0;
        if (own && own[0])
                return error_set(reterr, -ENOENT, "there is no executable %s, which AGENTTEST_SYSTEMD names", own);
        return error_set(reterr, -ENOENT, "there is no /lib/systemd/systemd: `apt-get install systemd`");
}

static int probe_user(Error *reterr) {
        if (geteuid() != 0)
                return rootless_enter(false, reterr);
        if (!rootless_is_entered() && access("/run", W_OK) < 0)
                return error_set_errno(reterr, -errno, "/run, where runs are registered, is not writable");
        return 0;
}

static int try_mounts(Error *reterr) {
        const int namespaces =
                        CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;

        /* / cannot be below an overlay there: sandbox-skeleton.c. */
        const char *overlay_options =
                        rootless_is_entered() ? "lowerdir=/run/root,upperdir=/run/upper,workdir=/run/work,userxattr"
                                              : "lowerdir=/,upperdir=/run/upper,workdir=/run/work";

        if (unshare(namespaces) < 0)
                return error_set_errno(reterr, -errno,
                                "the kernel refused new namespaces: agenttest needs CAP_SYS_ADMIN and a seccomp "
                                "profile "
                                "that allows unshare and clone3 (in a container: --privileged)");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
                        mount("tmpfs", "/run", "tmpfs", MS_NODEV, "mode=0755") < 0)
                return error_set_errno(
                                reterr, -errno, "the kernel refused to mount a tmpfs in a namespace of our own");
        if (mkdir("/run/upper", 0755) < 0 || mkdir("/run/work", 0755) < 0 || mkdir("/run/root", 0755) < 0)
                return error_set_errno(reterr, -errno, "cannot make folders in a tmpfs");
        if (mount("overlay", "/run/root", "overlay", 0, overlay_options) < 0)
                return error_set_errno(reterr, -errno,
                                "the kernel refused an overlay of /: `modprobe overlay` on the host, and no more "
                                "than one "
                                "overlay below / (a container in a container)");
        return 0;
}

/* In a child: the namespaces and mounts go with it. */
static int probe_in_child(int (*probe)(Error *), Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        CLEANUP_CLOSE int child_fd = -EBADF;
        SetupMessage message;
        int fds[2], r;
        pid_t child;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return error_set_errno(reterr, -errno, "cannot make a socket");
        fd = fds[0];
        child_fd = fds[1];
        child = fork();
        if (child < 0)
                return error_set_errno(reterr, -errno, "cannot fork");
        if (child == 0) {
                Error error = ERROR_INIT;

                r = probe(&error);
                if (r < 0)
                        (void) setup_send_error(child_fd, r, &error);
                _exit(0);
        }
        while (waitpid(child, NULL, 0) < 0)
                if (errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for the probe");
        return setup_receive(fd, MSG_DONTWAIT, &message, reterr);
}

static int probe_kernel(Error *reterr) {
        return probe_in_child(try_mounts, reterr);
}

static int probe_all(Error *reterr) {
        static int (*const probes[])(Error *) = { probe_user, probe_systemd, probe_hierarchies, probe_kernel };
        CLEANUP_TEXT Text text = TEXT_INIT;
        int first = 0;

        FOREACH_ARRAY (probe, probes, ELEMENTS_OF(probes)) {
                CLEANUP_ERROR Error error = ERROR_INIT;
                int r;

                r = (*probe)(&error);
                if (r >= 0)
                        continue;
                if (first == 0)
                        first = r;
                text_printf(&text, "%s%s", text.n_bytes > 0 ? "\n" : "", error_text(&error));
                if (*probe == probe_user)
                        break; /* the others would only say the same in many words */
        }
        return first < 0 ? error_set(reterr, first, "%s", text_get(&text)) : 0;
}

int sandbox_probe(Error *reterr) {
        /* The caller stays who it is: there is no way back out of a user namespace. */
        return geteuid() == 0 ? probe_all(reterr) : probe_in_child(probe_all, reterr);
}
