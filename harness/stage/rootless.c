/* SPDX-License-Identifier: MIT */
#include "stage/rootless.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>

#include "stage/delegation.h"
#include "stage/run-folder.h"

/* Users of a Debian system, `nobody` (65534) included, and those of DynamicUser=. */
#define N_IDS_NEEDED 65535

/* As the namespace is the process's, so are these: set once, inherited by fork. */
static bool is_entered;
static uid_t caller_uid = (uid_t) -1;

bool rootless_is_entered(void) {
        return is_entered;
}

uid_t rootless_caller_uid(void) {
        return caller_uid != (uid_t) -1 ? caller_uid : getuid();
}

/* One kind of ids: users or groups. */
typedef struct IdKind {
        const char *table_path; /* subuid(5) */
        const char *mapper;     /* newuidmap(1) */
        const char *option;     /* of usermod(8) */
} IdKind;

static const IdKind id_kinds[] = {
        { "/etc/subuid", "newuidmap", "--add-subuids" },
        { "/etc/subgid", "newgidmap", "--add-subgids" },
};

typedef struct IdRange {
        unsigned own, first, n;
} IdRange;

/* Lines "USER:FIRST:COUNT", the user by name or number. The first one that is long enough. */
static int find_range(const IdKind *kind, const char *user, IdRange *range, Error *reterr) {
        CLEANUP_FILE FILE *file = fopen(kind->table_path, "re");
        char line[512], name[256];
        char number[16];

        (void) snprintf(number, sizeof(number), "%u", getuid());
        while (file && fgets(line, sizeof(line), file)) {
                if (sscanf(line, "%255[^:]:%u:%u", name, &range->first, &range->n) != 3 || range->n < N_IDS_NEEDED)
                        continue;
                if (strcmp(name, user) == 0 || strcmp(name, number) == 0) {
                        range->n = N_IDS_NEEDED;
                        return 0;
                }
        }
        return error_set(reterr, -ENOENT,
                        "%s gives user %s no %d subordinate ids, and without them no unit with User= can run: `sudo "
                        "usermod %s 100000-165535 %s`, with ids nobody else has",
                        kind->table_path, user, N_IDS_NEEDED, kind->option, user);
}

static int find_ranges(IdRange ranges[static 2], Error *reterr) {
        const struct passwd *entry = getpwuid(getuid());
        CLEANUP_FREE char *user = NULL;
        int r = 0;

        if (entry ? !(user = strdup(entry->pw_name)) : asprintf(&user, "%u", getuid()) < 0)
                return error_set(reterr, -ENOMEM, "out of memory");
        ranges[0].own = getuid();
        ranges[1].own = getgid();
        for (size_t i = 0; i < ELEMENTS_OF(id_kinds) && r >= 0; i++)
                r = find_range(&id_kinds[i], user, &ranges[i], reterr);
        return r;
}

/* newuidmap PID 0 OWN 1 1 FIRST COUNT. It has privileges of its own, and reads the table. */
_Noreturn static void exec_mapper(const IdKind *kind, pid_t pid, const IdRange *range) {
        char words[4][16];
        char *const arguments[] = { (char *) kind->mapper, words[0], (char *) "0", words[1], (char *) "1",
                (char *) "1", words[2], words[3], NULL };
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        (void) snprintf(words[0], sizeof(words[0]), "%d", (int) pid);
        (void) snprintf(words[1], sizeof(words[1]), "%u", range->own);
        (void) snprintf(words[2], sizeof(words[2]), "%u", range->first);
        (void) snprintf(words[3], sizeof(words[3]), "%u", range->n);
        (void) dup2(null_fd, STDIN_FILENO);
        (void) execvp(kind->mapper, arguments);
        _exit(127);
}

/* Exit status: 0, or 1 + which kind failed, + 10 where its program is not there. */
_Noreturn static void map_main(pid_t pid, const IdRange ranges[static 2], int go_fd) {
        char byte;

        if (read(go_fd, &byte, 1) != 1)
                _exit(0); /* the namespace could not be made */
        for (int i = 0; i < (int) ELEMENTS_OF(id_kinds); i++) {
                int wait_status = 0;
                pid_t child = fork();

                if (child == 0)
                        exec_mapper(&id_kinds[i], pid, &ranges[i]);
                if (child < 0 || waitpid(child, &wait_status, 0) < 0 || !WIFEXITED(wait_status))
                        _exit(1 + i);
                if (WEXITSTATUS(wait_status) != 0)
                        _exit(1 + i + (WEXITSTATUS(wait_status) == 127 ? 10 : 0));
        }
        _exit(0);
}

static int check_mapped(pid_t child, Error *reterr) {
        int wait_status, kind;

        while (waitpid(child, &wait_status, 0) < 0)
                if (errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for newuidmap");
        if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0)
                return 0;
        kind = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) % 10 == 2;
        if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status) > 10)
                return error_set(reterr, -ENOENT,
                                "there is no %s, which gives a user namespace its ids: `apt-get install uidmap`",
                                id_kinds[kind].mapper);
        return error_set(reterr, -EPERM, "%s could not give the user namespace its ids; it says above why",
                        id_kinds[kind].mapper);
}

static int error_unshare(int code, Error *reterr) {
        return error_set_errno(reterr, code,
                        "the kernel refused a user namespace: run agenttest with sudo, or allow it by `sysctl "
                        "kernel.unprivileged_userns_clone=1` (Debian), `sysctl user.max_user_namespaces=15000` "
                        "(where "
                        "it is 0), and a seccomp profile of the container that lets unshare pass");
}

/* A process outside the namespace has to give it its ids, so one is forked before. */
static int make_namespace(const IdRange ranges[static 2], Error *reterr) {
        CLEANUP_CLOSE int read_fd = -EBADF;
        CLEANUP_CLOSE int write_fd = -EBADF;
        pid_t own = getpid(), child;
        int fds[2], r = 0, q;

        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        read_fd = fds[0];
        write_fd = fds[1];
        child = fork();
        if (child < 0)
                return error_set_errno(reterr, -errno, "cannot fork");
        if (child == 0) {
                (void) close(write_fd);
                map_main(own, ranges, read_fd);
        }
        if (unshare(CLONE_NEWUSER) < 0)
                r = error_unshare(-errno, reterr);
        else if (write(write_fd, "", 1) != 1)
                r = error_set_errno(reterr, -errno, "cannot write to a pipe");
        close_p(&write_fd);
        write_fd = -EBADF;
        q = check_mapped(child, reterr);
        return r < 0 ? r : q;
}

int rootless_enter(bool moves, Error *reterr) {
        CLEANUP_FREE char *delegation = NULL;
        IdRange ranges[2];
        int r;

        r = delegation_find(&delegation, reterr);
        if (r >= 0)
                r = find_ranges(ranges, reterr);
        if (r >= 0)
                r = runs_folder_settle(reterr); /* while it is known who we are */
        if (r < 0)
                return r;
        caller_uid = ranges[0].own; /* also where it fails half-way: then we have no number at all */
        r = make_namespace(ranges, reterr);
        if (r < 0)
                return r;
        is_entered = true;
        /* From the delegated cgroup on: so that a process may be moved from the leaf to a scenario's cgroup, and into
         * this namespace of cgroups again. Source: cgroups(7), "nsdelegate".
         */
        if (unshare(CLONE_NEWCGROUP) < 0)
                return error_set_errno(reterr, -errno, "cannot make a cgroup namespace");
        return moves ? delegation_enter(delegation, reterr) : delegation_use(delegation, reterr);
}
