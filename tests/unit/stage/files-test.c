/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "stage/sandbox.h"
#include "suites.h"

static char root[] = "/tmp/agenttest-files-XXXXXX";
static int root_fd;

static void write_text(const char *path, const char *text) {
        CLEANUP_FILE FILE *file = fopen(path, "we");

        ck_assert_ptr_nonnull(file);
        ck_assert_int_ge(fputs(text, file), 0);
}

static void set_up(void) {
        char path[200];

        strcpy(root + strlen(root) - 6, "XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(root));
        root_fd = open(root, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
        ck_assert_int_ge(root_fd, 0);
        (void) snprintf(path, sizeof(path), "%s/etc", root);
        ck_assert_int_eq(mkdir(path, 0755), 0);
        (void) snprintf(path, sizeof(path), "%s/etc/passwd", root);
        write_text(path, "root:x:0:0::/:/bin/sh\nfred:x:4711:4712::/:/bin/sh\n");
        (void) snprintf(path, sizeof(path), "%s/etc/group", root);
        write_text(path, "root:x:0:\nfreds:x:4712:\nwheel:x:4713:fred\n");
}

static void tear_down(void) {
        char command[200];

        (void) close(root_fd);
        (void) snprintf(command, sizeof(command), "rm -r %s", root);
        ck_assert_int_eq(system(command), 0);
}

static int place(const StageFile *file, char message[static 400]) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        int r;

        r = sandbox_place_file(root_fd, file, &error);
        (void) snprintf(message, 400, "%s", r < 0 ? error_text(&error) : "");
        return r;
}

static struct stat look(const char *path) {
        char full[300];
        struct stat st;

        (void) snprintf(full, sizeof(full), "%s%s", root, path);
        ck_assert_msg(lstat(full, &st) == 0, "there is no %s", full);
        return st;
}

START_TEST(content_owner_and_mode) {
        const StageFile file = {
                .path = "/a/b/c.conf",
                .content = "x=1\n",
                .n_content_bytes = 4,
                .owner = "fred",
                .mode = 0600,
        };
        char message[400];
        struct stat st;

        ck_assert_msg(place(&file, message) == 0, "%s", message);
        st = look("/a/b/c.conf");
        ck_assert_int_eq(st.st_uid, 4711);
        ck_assert_int_eq(st.st_gid, 4712);
        ck_assert_int_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(st.st_size, 4);
        ck_assert_int_eq(look("/a").st_mode & 07777, 0755);
}
END_TEST

START_TEST(defaults) {
        const StageFile text = { .path = "/text", .content = "", .n_content_bytes = 0 };
        const StageFile copy = { .path = "/copy", .source_path = "/bin/true" };
        const StageFile folder = { .path = "/folder/inner", .is_directory = true, .owner = "4711", .group = "wheel" };
        char message[400];
        struct stat original;

        ck_assert_msg(place(&text, message) == 0, "%s", message);
        ck_assert_int_eq(look("/text").st_mode, S_IFREG | 0644);
        ck_assert_msg(place(&copy, message) == 0, "%s", message);
        ck_assert_int_eq(stat("/bin/true", &original), 0);
        ck_assert_int_eq(look("/copy").st_mode, original.st_mode);
        ck_assert_int_eq(look("/copy").st_size, original.st_size);
        ck_assert_msg(place(&folder, message) == 0, "%s", message);
        ck_assert_int_eq(look("/folder/inner").st_mode, S_IFDIR | 0755);
        ck_assert_int_eq(look("/folder/inner").st_uid, 4711);
        ck_assert_int_eq(look("/folder/inner").st_gid, 4713);
        ck_assert_int_eq(look("/folder").st_uid, 0);
}
END_TEST

START_TEST(links_stay_inside) {
        const StageFile below = { .path = "/link/agenttest-escaped", .content = "", .n_content_bytes = 0 };
        const StageFile over = { .path = "/over", .content = "new", .n_content_bytes = 3 };
        char message[400], path[300];

        (void) snprintf(path, sizeof(path), "%s/link", root);
        ck_assert_int_eq(symlink("/etc", path), 0);
        ck_assert_msg(place(&below, message) == 0, "%s", message);
        (void) look("/etc/agenttest-escaped");
        ck_assert_int_eq(access("/etc/agenttest-escaped", F_OK), -1);

        (void) snprintf(path, sizeof(path), "%s/over", root);
        ck_assert_int_eq(symlink("/etc/passwd", path), 0);
        ck_assert_msg(place(&over, message) == 0, "%s", message);
        ck_assert(S_ISREG(look("/over").st_mode));
}
END_TEST

START_TEST(errors_say_what_and_where) {
        const StageFile nobody = { .path = "/f", .content = "", .owner = "nosuchuser" };
        const StageFile no_group = { .path = "/f", .content = "", .group = "nosuchgroup" };
        const StageFile no_source = { .path = "/f", .source_path = "/no/such/file" };
        const StageFile odd_source = { .path = "/f", .source_path = "/etc" };
        const StageFile over_folder = { .path = "/etc", .content = "" };
        char message[400];

        ck_assert_int_eq(place(&nobody, message), -ENOENT);
        ck_assert_str_eq(message, "/f: there is no user \"nosuchuser\" on the stage (/etc/passwd)");
        ck_assert_int_eq(place(&no_group, message), -ENOENT);
        ck_assert_str_eq(message, "/f: there is no group \"nosuchgroup\" on the stage (/etc/group)");
        ck_assert_int_eq(place(&no_source, message), -ENOENT);
        ck_assert_str_eq(message, "cannot read /no/such/file, which is to become /f on the stage: No such file or "
                                  "directory");
        ck_assert_int_eq(place(&odd_source, message), -EINVAL);
        ck_assert_str_eq(message, "/etc, which is to become /f on the stage, is not a regular file");
        ck_assert_int_eq(place(&over_folder, message), -EISDIR);
        ck_assert_str_eq(message, "cannot make /etc on the stage: Is a directory");
}
END_TEST

START_TEST(set_up_errors_travel) {
        CLEANUP_ERROR Error sent = ERROR_INIT;
        CLEANUP_ERROR Error received = ERROR_INIT;
        SetupMessage message;
        int fds[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
        (void) error_set(&sent, -EPERM, "mount of something");
        ck_assert_int_eq(setup_send_error(fds[0], -EPERM, &sent), 0);
        ck_assert_int_eq(setup_receive(fds[1], MSG_DONTWAIT, &message, &received), -EPERM);
        ck_assert_str_eq(error_text(&received), "mount of something");
        ck_assert_int_eq(setup_receive(fds[1], MSG_DONTWAIT, &message, NULL), 0);
        ck_assert_int_eq(message.kind, SETUP_NOTHING);
        (void) close(fds[0]);
        ck_assert_int_eq(setup_receive(fds[1], 0, &message, NULL), 0);
        ck_assert_int_eq(message.kind, SETUP_OVER);
        (void) close(fds[1]);
}
END_TEST

Suite *files_suite(void) {
        Suite *suite = suite_create("files");
        TCase *tests = tcase_create("placing");

        tcase_add_checked_fixture(tests, set_up, tear_down);
        tcase_add_test(tests, content_owner_and_mode);
        tcase_add_test(tests, defaults);
        tcase_add_test(tests, links_stay_inside);
        tcase_add_test(tests, errors_say_what_and_where);
        tcase_add_test(tests, set_up_errors_travel);
        suite_add_tcase(suite, tests);
        return suite;
}
