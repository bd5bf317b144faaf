/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "stage/deadline.h"
#include "stage/run-share.h"
#include "suites.h"

/* What a child tells its parent. */
typedef struct Told {
        char run_id[32];
        pid_t pid;
} Told;

static Told *told;

static void set_up(void) {
        told = mmap(NULL, sizeof(Told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        ck_assert_ptr_ne(told, MAP_FAILED);
}

static void tear_down(void) {
        (void) munmap(told, sizeof(Told));
}

/* A run that dies without a word, leaving a cgroup with a process in it and a file in its folder. */
static void run_that_dies(void) {
        CLEANUP(cgroup_hierarchies_free_p) CgroupHierarchies *hierarchies = NULL;
        CLEANUP_FREE char *mark = NULL;
        Ownership *ownership = NULL;
        char path[600];

        ck_assert_int_eq(ownership_new(&ownership, NULL), 0);
        (void) snprintf(told->run_id, sizeof(told->run_id), "%s", ownership_run_id(ownership));
        mark = scenario_mark(told->run_id, 3);
        ck_assert_int_eq(cgroup_hierarchies_read(&hierarchies, NULL), 0);
        ck_assert_int_eq(cgroup_trees_create(hierarchies, mark, NULL), 0);
        told->pid = fork();
        if (told->pid == 0) {
                if (cgroup_trees_enter(hierarchies, mark, NULL) < 0)
                        _exit(EXIT_FAILURE);
                /* exec gives the lock away. */
                (void) execl("/bin/sleep", "sleep", "1000", NULL);
                _exit(EXIT_FAILURE);
        }
        (void) snprintf(path, sizeof(path), "%s/inner", ownership_run_folder(ownership));
        ck_assert_int_eq(mkdir(path, 0700), 0);
        strcat(path, "/file");
        ck_assert_int_ge(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600), 0);
        _exit(EXIT_SUCCESS);
}

static bool process_exists(const char *pid_text) {
        char path[64], state = 'X';
        FILE *file;

        (void) snprintf(path, sizeof(path), "/proc/%s/stat", pid_text);
        file = fopen(path, "re");
        if (!file)
                return false;
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
                state = 'X';
        (void) fclose(file);
        return state != 'Z' && state != 'X';
}

START_TEST(a_run_has_an_id_a_folder_and_a_mark) {
        Ownership *ownership = NULL;
        char *mark;
        const char *id;

        ck_assert_int_eq(ownership_new(&ownership, NULL), 0);
        id = ownership_run_id(ownership);
        ck_assert_uint_gt(strlen(id), 0);
        ck_assert_uint_eq(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789"), strlen(id));
        ck_assert(run_folder_exists(id));
        mark = scenario_mark("abc", 12);
        ck_assert_str_eq(mark, "agenttest-abc-12");
        free(mark);
        (void) snprintf(told->run_id, sizeof(told->run_id), "%s", id);
        ck_assert_int_eq(ownership_release(ownership, deadline_in(USEC_PER_SEC), NULL), 0);
        ck_assert(!run_folder_exists(told->run_id));
}
END_TEST

START_TEST(a_living_run_is_not_stale) {
        CLEANUP(ownership_free_p) Ownership *ownership = NULL;

        ck_assert_int_eq(ownership_new(&ownership, NULL), 0);
        ck_assert_int_eq(ownership_clean_stale(NULL, NULL), 0);
        ck_assert(run_folder_exists(ownership_run_id(ownership)));
        ck_assert_int_eq(ownership_release(TAKE_PTR(ownership), deadline_in(USEC_PER_SEC), NULL), 0);
}
END_TEST

START_TEST(a_dead_run_is_cleaned_with_all_it_left) {
        CLEANUP_FREE char *mark = NULL;
        char pid_text[16];
        unsigned n_runs = 0;
        pid_t child;

        child = fork();
        if (child == 0)
                run_that_dies();
        ck_assert_int_eq(wait_for(child, 5000), 0);
        mark = run_mark(told->run_id);
        ck_assert(run_folder_exists(told->run_id));
        ck_assert(cgroups_exist(mark));

        /* The sleeper has called exec by the time the lock is free; until then the run counts as alive. */
        for (uint64_t deadline_usec = deadline_in(5 * USEC_PER_SEC);
                        run_folder_exists(told->run_id) && !deadline_is_past(deadline_usec);)
                ck_assert_int_eq(ownership_clean_stale(&n_runs, NULL), 0);
        ck_assert(!run_folder_exists(told->run_id));
        ck_assert(!cgroups_exist(mark));
        (void) snprintf(pid_text, sizeof(pid_text), "%d", (int) told->pid);
        ck_assert(gone_within(process_exists, pid_text, 1000));
}
END_TEST

START_TEST(a_forked_child_keeps_the_run_alive) {
        Ownership *ownership = NULL;
        pid_t child;

        ck_assert_int_eq(ownership_new(&ownership, NULL), 0);
        (void) snprintf(told->run_id, sizeof(told->run_id), "%s", ownership_run_id(ownership));
        child = fork();
        if (child == 0) {
                (void) pause();
                _exit(0);
        }
        ownership_free(ownership);
        ck_assert_int_eq(ownership_clean_stale(NULL, NULL), 0);
        ck_assert(run_folder_exists(told->run_id));

        (void) kill(child, SIGKILL);
        ck_assert_int_ne(wait_for(child, 1000), -1);
        ck_assert_int_eq(ownership_clean_stale(NULL, NULL), 0);
        ck_assert(!run_folder_exists(told->run_id));
}
END_TEST

/* Starts and ends runs and cleans after others, as fast as it can, for the race between all of these. */
static int start_and_end_runs(void) {
        for (int i = 0; i < 25; i++) {
                CLEANUP(ownership_free_p) Ownership *ownership = NULL;
                CLEANUP_ERROR Error error = ERROR_INIT;
                bool dies = i % 5 == 4;

                if (ownership_new(&ownership, &error) < 0 || ownership_clean_stale(NULL, &error) < 0 ||
                                !run_folder_exists(ownership_run_id(ownership)) ||
                                (!dies && ownership_release(TAKE_PTR(ownership), deadline_in(USEC_PER_SEC), &error) <
                                                                0)) {
                        (void) fprintf(stderr, "%s\n", error_text(&error));
                        return EXIT_FAILURE;
                }
        }
        return EXIT_SUCCESS;
}

START_TEST(runs_start_and_end_side_by_side) {
        pid_t children[8];

        FOREACH_ARRAY (child, children, ELEMENTS_OF(children)) {
                *child = fork();
                if (*child == 0)
                        _exit(start_and_end_runs());
        }
        FOREACH_ARRAY (child, children, ELEMENTS_OF(children))
                ck_assert_int_eq(wait_for(*child, 30000), 0);
        ck_assert_int_eq(ownership_clean_stale(NULL, NULL), 0);
}
END_TEST

static bool share_has(const RunShare *share, const char *run_id) {
        CLEANUP_FREE char *mark = run_mark(run_id);
        bool found = false;

        FOREACH_ARRAY (other, share->marks, share->n_marks)
                found = found || strcmp(*other, mark) == 0;
        return found;
}

START_TEST(runs_tell_each_other_how_many_they_play) {
        CLEANUP(ownership_free_p) Ownership *first = NULL;
        CLEANUP(ownership_free_p) Ownership *second = NULL;
        CLEANUP(run_share_done) RunShare share = RUN_SHARE_INIT;
        char first_id[32];

        ck_assert_int_eq(ownership_new(&first, NULL), 0);
        ck_assert_int_eq(ownership_new(&second, NULL), 0);
        (void) snprintf(first_id, sizeof(first_id), "%s", ownership_run_id(first));
        ck_assert_int_eq(run_share_begin(first, &share, NULL), 0);
        ck_assert(!share_has(&share, ownership_run_id(second))); /* it has not decided yet */
        ck_assert_int_eq(run_share_end(&share, 16, NULL), 0);

        ck_assert_int_eq(run_share_begin(second, &share, NULL), 0);
        ck_assert(share_has(&share, first_id));
        ck_assert_uint_ge(share.n_jobs, 16); /* runs of others may be about */
        ck_assert_int_eq(run_share_end(&share, 3, NULL), 0);

        ck_assert_int_eq(ownership_release(TAKE_PTR(first), deadline_in(USEC_PER_SEC), NULL), 0);
        ck_assert_int_eq(run_share_begin(second, &share, NULL), 0);
        ck_assert(!share_has(&share, first_id));
        run_share_done(&share);
        ck_assert_int_eq(ownership_release(TAKE_PTR(second), deadline_in(USEC_PER_SEC), NULL), 0);
}
END_TEST

Suite *ownership_suite(void) {
        Suite *suite = suite_create("ownership");
        TCase *tests = tcase_create("runs");

        tcase_add_checked_fixture(tests, set_up, tear_down);
        tcase_set_timeout(tests, 40);
        tcase_add_test(tests, a_run_has_an_id_a_folder_and_a_mark);
        tcase_add_test(tests, a_living_run_is_not_stale);
        tcase_add_test(tests, a_dead_run_is_cleaned_with_all_it_left);
        tcase_add_test(tests, a_forked_child_keeps_the_run_alive);
        tcase_add_test(tests, runs_start_and_end_side_by_side);
        tcase_add_test(tests, runs_tell_each_other_how_many_they_play);
        suite_add_tcase(suite, tests);
        return suite;
}
