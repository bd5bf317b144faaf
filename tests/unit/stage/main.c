/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "stage/deadline.h"
#include "suites.h"

static bool hierarchy_has(const char *mount_path, const char *mark) {
        DIR *folder = opendir(mount_path);
        bool found = false;

        for (struct dirent *entry; folder && (entry = readdir(folder));)
                if (strncmp(entry->d_name, mark, strlen(mark)) == 0)
                        found = true;
        if (folder)
                (void) closedir(folder);
        return found;
}

bool cgroups_exist(const char *mark) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;

        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        FOREACH_ARRAY (item, hierarchies->items, hierarchies->n_items)
                if (hierarchy_has(item->mount_path, mark))
                        return true;
        return false;
}

bool run_folder_exists(const char *run_id) {
        CLEANUP_FREE char *path = run_folder_path(run_id);

        return access(path, F_OK) == 0;
}

pid_t fork_into_cgroups(const char *mark) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        int fds[2];
        pid_t child;
        char byte;

        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        ck_assert_int_eq(pipe(fds), 0);
        child = fork();
        if (child == 0) {
                if (cgroup_trees_enter(hierarchies, mark, NULL) < 0)
                        _exit(EXIT_FAILURE);
                (void) !write(fds[1], "x", 1);
                for (;;)
                        (void) pause();
        }
        (void) close(fds[1]);
        ck_assert_int_eq(read(fds[0], &byte, 1), 1);
        (void) close(fds[0]);
        return child;
}

int wait_for(pid_t child, int limit_msec) {
        CLEANUP_CLOSE int fd = pidfd_open(child, 0);
        struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
        int wait_status;

        if (poll(&poll_fd, 1, limit_msec) <= 0 || waitpid(child, &wait_status, 0) != child)
                return -1;
        return wait_status;
}

bool gone_within(bool (*holds)(const char *argument), const char *argument, int limit_msec) {
        uint64_t deadline_usec = deadline_in((uint64_t) limit_msec * USEC_PER_MSEC);

        /* Who removes it is no child of ours: there is no event to wait for. */
        while (holds(argument)) {
                if (deadline_is_past(deadline_usec))
                        return false;
                (void) poll(NULL, 0, 5);
        }
        return true;
}

int main(void) {
        SRunner *runner;
        int n_failed;

        if (geteuid() != 0) {
                (void) fprintf(stderr, "SKIP: the stage layer is tested on real cgroups, which needs root\n");
                return 77;
        }
        runner = srunner_create(cgroup_suite());
        srunner_add_suite(runner, ownership_suite());
        srunner_add_suite(runner, guard_suite());
        srunner_add_suite(runner, files_suite());
        srunner_add_suite(runner, undo_suite());
        srunner_run_all(runner, CK_ENV);
        n_failed = srunner_ntests_failed(runner);
        srunner_free(runner);
        return n_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
