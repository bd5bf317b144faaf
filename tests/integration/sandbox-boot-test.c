/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/quantity.h"
#include "sandbox-rig.h"
#include "stage/cgroup-tree.h"
#include "stage/deadline.h"

#define N_SIDE_BY_SIDE 32

START_TEST(it_boots_to_running) {
        rig_play_script((StageRequest){ 0 },
                        "check test \"$(systemctl is-system-running)\" = running\n"
                        "check test \"$(readlink /proc/1/exe)\" = /usr/lib/systemd/systemd\n"
                        "check test \"$(systemctl --failed -q)\" = ''\n"
                        "check ip link show lo 2>/dev/null || check grep -q lo /proc/net/dev\n"
                        "check systemctl is-active -q agenttest.target systemd-journald.service\n"
                        "check test \"$HOME $USER $(pwd)\" = '/root root /'\n");
}
END_TEST

static int look_at_context(const StageContext *context, void *userdata) {
        char byte;

        if (strcmp(context->kind_name, "sandbox") != 0 ||
                        strcmp(context->bus_address, "unix:path=/run/systemd/private"))
                return 1;
        if (access(context->journal_folder, F_OK) < 0 || !strstr(context->cgroup_mark, "agenttest-"))
                return 2;
        /* The host's /proc has the process that called run(); the sandbox's has not. */
        if (faccessat(context->host_proc_fd, userdata, F_OK, 0) < 0)
                return 3;
        /* At its end, so that only what comes from now on is read. */
        if (context->kmsg_fd >= 0 && read(context->kmsg_fd, &byte, 1) >= 0)
                return 4;
        return getpid() > 1 && getpid() < 100 ? 0 : 5;
}

START_TEST(the_context_is_true) {
        char pid[16];
        Played played;

        (void) snprintf(pid, sizeof(pid), "%d/stat", (int) getpid());
        played = rig_play((StageRequest){ 0 }, look_at_context, pid);
        ck_assert_msg(played.r == 0, "%s", played.message);
        ck_assert_int_eq(played.wait_status, 0);
        ck_assert_uint_gt(played.context.forked_usec, 0);
        ck_assert_uint_gt(played.context.booted_usec, played.context.forked_usec);
        ck_assert_uint_lt(played.context.booted_usec - played.context.forked_usec, 10 * USEC_PER_SEC);
}
END_TEST

static int return_42(const StageContext *context, void *userdata) {
        return 42;
}

static int die_of_a_signal(const StageContext *context, void *userdata) {
        return raise(SIGUSR1);
}

START_TEST(the_end_of_the_function_is_passed_on) {
        Played played = rig_play((StageRequest){ 0 }, return_42, NULL);

        ck_assert_int_eq(played.r, 0);
        ck_assert(WIFEXITED(played.wait_status) && WEXITSTATUS(played.wait_status) == 42);
        played = rig_play((StageRequest){ 0 }, die_of_a_signal, NULL);
        ck_assert_int_eq(played.r, 0);
        ck_assert(WIFSIGNALED(played.wait_status) && WTERMSIG(played.wait_status) == SIGUSR1);
}
END_TEST

static const char simple_unit[] = "[Service]\n"
                                  "User=redis\n"
                                  "ExecStart=/bin/sh -c 'id -un >/var/lib/redis/who; exec /usr/bin/mysleep 1000'\n";

START_TEST(files_are_there_before_systemd) {
        const StageFile files[] = {
                {
                                .path = "/etc/systemd/system/simple.service",
                                .content = simple_unit,
                                .n_content_bytes = sizeof(simple_unit) - 1,
                },
                { .path = "/usr/bin/mysleep", .source_path = "/bin/sleep" },
                { .path = "/var/lib/redis", .owner = "redis", .mode = 0700, .is_directory = true },
                { .path = "/etc/secret", .content = "x", .n_content_bytes = 1, .group = "redis", .mode = 0640 },
        };
        const char *const pinned[] = { "simple.service", "never-there@a%b.service" };
        const StageRequest request = {
                .files = files,
                .n_files = ELEMENTS_OF(files),
                .pinned_units = pinned,
                .n_pinned_units = ELEMENTS_OF(pinned),
        };

        (void) host_run("mkdir -p /var/lib/redis && touch /var/lib/redis/agenttest-host-file");
        rig_play_script(request,
                        "check test \"$(ls -A /var/lib/redis)\" = ''\n"
                        "check test \"$(stat -c %U:%G:%a /var/lib/redis)\" = redis:redis:700\n"
                        "check test \"$(stat -c %U:%G:%a /etc/secret)\" = root:redis:640\n"
                        "check test -x /usr/bin/mysleep\n"
                        "check systemctl start simple.service\n"
                        "for i in $(seq 100); do test -s /var/lib/redis/who && break; sleep .05; done\n"
                        "check test \"$(cat /var/lib/redis/who)\" = redis\n"
                        "check systemctl stop simple.service\n"
                        /* Pinned: its exit facts are there after the stop. */
                        "check test \"$(systemctl show -P ExecMainCode -P ExecMainStatus simple | xargs)\" = '2 15'\n"
                        /* An ordinary directory, not a mount. */
                        "check mv /var/lib/redis /var/lib/redis2\n"
                        "check rm -r /var/lib/redis2\n");
        ck_assert_int_eq(host_run("test -e /var/lib/redis/agenttest-host-file && rm "
                                  "/var/lib/redis/agenttest-host-file"),
                        0);
        ck_assert_int_ne(host_run("test -e /usr/bin/mysleep -o -e /etc/secret"), 0);
}
END_TEST

START_TEST(clean_exits_are_logged) {
        static const char unit[] = "[Service]\nType=oneshot\nExecStart=/bin/true\n";
        const StageFile file = {
                .path = "/etc/systemd/system/once.service",
                .content = unit,
                .n_content_bytes = sizeof(unit) - 1,
        };

        rig_play_script((StageRequest){ .files = &file, .n_files = 1 },
                        "check systemctl start once.service\n"
                        "journalctl --sync\n"
                        "n=$(journalctl -q -o cat --output-fields=EXIT_STATUS "
                        "    MESSAGE_ID=98e322203f7a4ed290d09fe03c09fe15 UNIT=once.service | wc -l)\n"
                        "check test \"$n\" = 1\n");
}
END_TEST

START_TEST(redis_starts_from_its_own_unit) {
        if (access("/lib/systemd/system/redis-server.service", F_OK) < 0) {
                (void) fprintf(stderr, "SKIP redis_starts_from_its_own_unit: redis-server is not installed\n");
                return;
        }
        rig_play_script((StageRequest){ 0 }, "check systemctl start redis-server.service\n"
                                             "check test \"$(redis-cli set key value)\" = OK\n"
                                             "check test \"$(redis-cli get key)\" = value\n"
                                             "check systemctl is-active -q redis-server.service\n"
                                             "check systemctl stop redis-server.service\n");
}
END_TEST

START_TEST(what_is_hidden_is_hidden) {
        rig_play_script((StageRequest){ 0 },
                        "check test \"$(ls -A /var/log/journal 2>/dev/null)\" = ''\n"
                        "for d in /lib /usr/lib /etc; do\n"
                        "  check test \"$(ls -A $d/systemd/system-generators 2>/dev/null)\" = ''\n"
                        "  check test \"$(ls -A $d/systemd/system-environment-generators 2>/dev/null)\" = ''\n"
                        "  for t in sysinit sockets timers basic; do\n"
                        "    check test \"$(ls -A $d/systemd/system/$t.target.wants 2>/dev/null)\" = ''\n"
                        "  done\n"
                        "done\n"
                        "refuse test -e /dev/kmsg\n"
                        "refuse test -e /dev/vda -o -e /dev/sda -o -e /dev/rtc0 -o -e /dev/loop0\n"
                        "check test -c /dev/console -a -c /dev/null -a -e /dev/ptmx -a -d /dev/shm\n"
                        "check test \"$(ls -A /dev/shm)\" = ''\n"
                        /* No journal but this boot's. */
                        "check test \"$(journalctl --list-boots -q | wc -l)\" = 1\n"
                        /* Only hierarchies in which the sandbox has a cgroup of its own. */
                        "refuse grep -q -e net_cls -e net_prio -e perf_event -e hugetlb /proc/cgroups\n"
                        "while read id controllers path; do :; done </proc/self/cgroup\n"
                        "check sh -c 'cut -d: -f3 /proc/1/cgroup | grep -qx /init.scope'\n"
                        "refuse grep -q agenttest /proc/1/cgroup\n"
                        "refuse test -e /run/nologin\n");
}
END_TEST

START_TEST(what_the_host_has_is_shown) {
        char folder[] = "/tmp/agenttest-shown-XXXXXX";
        char hidden[] = "/run/agenttest-shown-XXXXXX";
        const char *const shown[] = { folder, hidden };
        char script[1000], command[200];

        ck_assert_ptr_nonnull(mkdtemp(folder));
        ck_assert_ptr_nonnull(mkdtemp(hidden));
        (void) snprintf(command, sizeof(command), "echo a >%s/f; echo b >%s/f", folder, hidden);
        ck_assert_int_eq(host_run(command), 0);
        (void) snprintf(script, sizeof(script),
                        "check test \"$(cat %1$s/f %2$s/f | xargs)\" = 'a b'\n"
                        "echo c >%1$s/f; echo d >%2$s/f; echo e >%2$s/g\n"
                        "check test \"$(cat %1$s/f %2$s/f %2$s/g | xargs)\" = 'c d e'\n"
                        "check systemctl cat redis-server.service -q >/dev/null\n",
                        folder, hidden);
        rig_play_script((StageRequest){ .shown_paths = shown, .n_shown_paths = 2 }, script);
        (void) snprintf(command, sizeof(command), "test \"$(cat %s/f %s/f | xargs)\" = 'a b' && rm -r %s %s", folder,
                        hidden, folder, hidden);
        ck_assert_int_eq(host_run(command), 0);
}
END_TEST

START_TEST(capabilities_are_gone) {
        static const char unit[] = "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
                                   "ExecStart=/bin/sh -c 'grep CapBnd /proc/self/status >/run/bounding'\n";
        const StageFile file = {
                .path = "/etc/systemd/system/caps.service",
                .content = unit,
                .n_content_bytes = sizeof(unit) - 1,
        };

        /* Bits of capabilities(7): sys_module 16, sys_rawio 17, sys_boot 22, sys_time 25, mknod 27, syslog 34, bpf
         * 39; kept: sys_admin 21, setfcap 31, setuid 7. */
        rig_play_script((StageRequest){ .files = &file, .n_files = 1 },
                        "check systemctl start caps.service\n"
                        "for f in /run/bounding /proc/1/status; do\n"
                        "  caps=$((0x$(sed -n 's/^CapBnd:\\t*//p' $f)))\n"
                        "  for bit in 12 14 16 17 22 23 25 26 27 28 29 30 32 33 34 35 36 37 38 39 40 2 9; do\n"
                        "    check test $((caps >> bit & 1)) = 0\n"
                        "  done\n"
                        "  for bit in 19 21 31 7 6 8 0 1 3 5 18; do check test $((caps >> bit & 1)) = 1; done\n"
                        "done\n");
}
END_TEST

/* What of the host a sandbox could have changed. Cgroup counts of others' runs change all the time: only ours count.
 */
static const char host_facts[] =
                "hostname; cat /proc/sys/fs/file-max /proc/sys/kernel/core_pattern /proc/sys/kernel/domainname "
                "/proc/sys/net/ipv4/ip_forward /proc/sys/kernel/pid_max /proc/sys/fs/nr_open; cut -d' ' -f4- "
                "/proc/self/mountinfo; "
                "cut -f1,2 /proc/cgroups; cat /proc/swaps; cut -d: -f1 /proc/net/dev; ipcs; ls -la /dev /run | grep "
                "-v "
                "agenttest | cut -c-60; cat /etc/machine-id; ls -lR /etc/systemd /var/lib/redis /var/log/journal | "
                "grep -v "
                "agenttest; cat /sys/fs/cgroup/*/cgroup.subtree_control 2>/dev/null";

START_TEST(the_host_is_untouched) {
        CLEANUP_FREE char *before = host_output(host_facts);
        CLEANUP_FREE char *after = NULL;
        CLEANUP_FREE char *command = NULL;

        rig_play_script((StageRequest){ 0 }, "hostname elsewhere\n"
                                             "echo x >/etc/agenttest-was-here\n"
                                             "rm /etc/hostname /etc/passwd.bak 2>/dev/null\n"
                                             "echo x >/var/lib/agenttest-was-here; echo x >>/etc/hosts\n"
                                             "mkdir /usr/agenttest-was-here; mount -t tmpfs tmpfs /mnt\n"
                                             "echo x >/dev/shm/agenttest-was-here\n"
                                             "ipcmk -Q >/dev/null\n"
                                             "mv /etc/apt /etc/apt-agenttest-was-here\n"
                                             "refuse sh -c 'echo 1234 >/proc/sys/fs/file-max'\n"
                                             "refuse sh -c 'echo x >/proc/sys/kernel/core_pattern'\n"
                                             "check systemctl start systemd-sysctl.service\n"
                                             "check systemctl start redis-server.service\n");
        after = host_output(host_facts);
        ck_assert_str_eq(before, after);
        ck_assert_int_ne(host_run("ls -d /*/agenttest-was-here /etc/*agenttest* /var/lib/agenttest-was-here "
                                  "/dev/shm/agenttest-was-here 2>/dev/null | grep ."),
                        0);
        ck_assert_int_eq(host_run("test -d /etc/apt && ! grep -qx x /etc/hosts"), 0);
        /* Its cgroups went with it, although the run goes on. */
        ck_assert(asprintf(&command,
                                  "ls -d /sys/fs/cgroup/agenttest-%s* /sys/fs/cgroup/*/agenttest-%s* 2>/dev/null | "
                                  "grep .",
                                  rig_run_id(), rig_run_id()) > 0);
        ck_assert_int_ne(host_run(command), 0);
}
END_TEST

/* A /proc of its own has no read-only /proc/sys. What is written is what is there: the host stays as it is anyway. */
static const char own_proc_unit[] =
                "[Service]\n"
                "Type=oneshot\n"
                "ProtectProc=invisible\n"
                "ExecStart=/bin/sh -c 'grep -q hidepid=invisible /proc/self/mountinfo && touch /run/own-proc; "
                "cat /proc/sys/vm/swappiness >/run/value && cat /run/value >/proc/sys/vm/swappiness && touch "
                "/run/wrote; true'\n";

START_TEST(no_sysctl_is_written_through_a_proc_of_ones_own) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        const StageFile file = {
                .path = "/etc/systemd/system/own-proc.service",
                .content = own_proc_unit,
                .n_content_bytes = sizeof(own_proc_unit) - 1,
        };
        const char *mark = "agenttest-sysctltest";
        int r;

        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        ck_assert_int_eq(cgroup_trees_create(hierarchies, mark, NULL), 0);
        r = cgroup_trees_forbid_sysctls(hierarchies, mark);
        ck_assert_int_eq(cgroup_trees_destroy(hierarchies, mark, deadline_in(USEC_PER_SEC), NULL), 0);
        if (r < 0) {
                (void) fprintf(stderr, "SKIP no_sysctl_is_written_through_a_proc_of_ones_own: %s\n", strerror(-r));
                return;
        }
        rig_play_script((StageRequest){ .files = &file, .n_files = 1 }, "check systemctl start own-proc.service\n"
                                                                        "check test -e /run/own-proc\n"
                                                                        "check test -s /run/value\n"
                                                                        "refuse test -e /run/wrote\n");
}
END_TEST

static int boot_one_more(const StageContext *context, void *userdata) {
        return system("systemctl is-system-running -q") == 0 ? 0 : 1;
}

/* A process that has forked already is not what run() asks for: one performer each, as the scheduler does it. */
static int perform(unsigned index) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        const StageRequest request = { .run_id = rig_run_id(), .scenario_index = 1000 + index };
        int wait_status;

        if (sandbox_stage.run(&request, boot_one_more, NULL, &wait_status, &error) < 0) {
                (void) fprintf(stderr, "%u: %s\n", index, error_text(&error));
                return EXIT_FAILURE;
        }
        return wait_status == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

START_TEST(many_boot_side_by_side) {
        int n_good = 0, wait_status;

        for (unsigned i = 0; i < N_SIDE_BY_SIDE; i++)
                if (fork() == 0)
                        _exit(perform(i));
        while (wait(&wait_status) > 0)
                n_good += wait_status == 0;
        ck_assert_int_eq(n_good, N_SIDE_BY_SIDE);
}
END_TEST

Suite *sandbox_boot_suite(void) {
        Suite *suite = suite_create("sandbox");
        TCase *tests = tcase_create("boot");

        tcase_add_checked_fixture(tests, rig_set_up, rig_tear_down);
        tcase_set_timeout(tests, 60);
        tcase_add_test(tests, it_boots_to_running);
        tcase_add_test(tests, the_context_is_true);
        tcase_add_test(tests, the_end_of_the_function_is_passed_on);
        tcase_add_test(tests, files_are_there_before_systemd);
        tcase_add_test(tests, clean_exits_are_logged);
        tcase_add_test(tests, redis_starts_from_its_own_unit);
        tcase_add_test(tests, what_is_hidden_is_hidden);
        tcase_add_test(tests, what_the_host_has_is_shown);
        tcase_add_test(tests, capabilities_are_gone);
        tcase_add_test(tests, the_host_is_untouched);
        tcase_add_test(tests, no_sysctl_is_written_through_a_proc_of_ones_own);
        tcase_add_test(tests, many_boot_side_by_side);
        suite_add_tcase(suite, tests);
        return suite;
}
