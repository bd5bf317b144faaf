/* SPDX-License-Identifier: MIT */
#include "schedule/evidence.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/write-all.h"
#include "schedule/prune.h"
#include "schedule/state-folder.h"
#include "stage/run-folder.h"

enum { NAME_MAX_BYTES = 80 };

struct EvidenceStore {
        char *path;
        char *parent;  /* of the state folder's runs; NULL with --evidence */
        char *run_id;  /* name of the folder in parent */
        int folder_fd; /* carries the lock */
        bool keeps_all;
        size_t n_kept;
};

static int folder_is_empty(int fd, bool *ret_is_empty) {
        int copy_fd = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *stream = copy_fd >= 0 ? fdopendir(copy_fd) : NULL;
        if (!stream) {
                int r = -errno;
                close_p(&copy_fd);
                return r;
        }

        *ret_is_empty = true;
        for (struct dirent *child; (child = readdir(stream));)
                if (strcmp(child->d_name, ".") != 0 && strcmp(child->d_name, "..") != 0)
                        *ret_is_empty = false;
        (void) closedir(stream);
        return 0;
}

/* Also proves that the folder can be written to, now and not after the first scenario. */
static int write_owner(int folder_fd, const char *run_id) {
        CLEANUP_CLOSE int fd = openat(folder_fd, EVIDENCE_MARK_FILE, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        return dprintf(fd, "%s\n", run_id) < 0 ? -errno : 0;
}

static int name_folder(EvidenceStore *store, const char *folder, const char *run_id) {
        store->run_id = strdup(run_id);
        store->keeps_all = folder != NULL;
        if (folder) {
                store->path = strdup(folder);
                return store->run_id && store->path ? 0 : -ENOMEM;
        }

        store->parent = state_folder_path();
        if (!store->run_id || !store->parent || asprintf(&store->path, "%s/%s", store->parent, run_id) < 0) {
                store->path = NULL;
                return -ENOMEM;
        }
        return 0;
}

static int make_absolute(EvidenceStore *store) {
        char *absolute = realpath(store->path, NULL);
        if (!absolute)
                return -errno;
        free(store->path);
        store->path = absolute;
        return 0;
}

static int open_folder(EvidenceStore *store, const char **ret_problem) {
        bool is_empty = false;
        int r;

        *ret_problem = "cannot be made";
        r = make_folders(store->path, 0755);
        if (r < 0)
                return r;
        *ret_problem = "cannot be opened";
        store->folder_fd = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (store->folder_fd < 0)
                return -errno;
        if (flock(store->folder_fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        *ret_problem = "cannot be read";
        r = folder_is_empty(store->folder_fd, &is_empty);
        if (r < 0)
                return r;
        if (!is_empty)
                return -ENOTEMPTY;
        *ret_problem = "cannot be written to";
        r = write_owner(store->folder_fd, store->run_id);
        return r < 0 ? r : make_absolute(store);
}

static EvidenceStore *store_free(EvidenceStore *store) {
        if (!store)
                return NULL;

        close_p(&store->folder_fd);
        free(store->path);
        free(store->parent);
        free(store->run_id);
        free(store);
        return NULL;
}

DEFINE_CLEANUP(EvidenceStore, store_free)

int evidence_store_open(const char *folder, const char *run_id, EvidenceStore **ret_store, Error *reterr) {
        CLEANUP(store_free_p) EvidenceStore *store = calloc(1, sizeof(*store));
        const char *problem;
        int r;

        if (!store)
                return error_set(reterr, -ENOMEM, "Out of memory");
        store->folder_fd = -EBADF;
        r = name_folder(store, folder, run_id);
        if (r < 0)
                return error_set(reterr, r, "Out of memory");

        r = open_folder(store, &problem);
        if (r == -ENOTEMPTY)
                return error_set(reterr, r,
                                "Evidence folder %s is not empty: name a new one, or remove what an earlier run left "
                                "in it",
                                store->path);
        if (r == -EWOULDBLOCK)
                return error_set(reterr, r, "Evidence folder %s is in use by another run: name another one",
                                store->path);
        if (r < 0)
                return error_set(reterr, r, "Evidence folder %s %s: %s; name another one with --evidence",
                                store->path, problem, strerror(-r));
        *ret_store = TAKE_PTR(store);
        return 0;
}

EvidenceStore *evidence_store_close(EvidenceStore *store) {
        if (!store)
                return NULL;

        if (!store->keeps_all) {
                CLEANUP_CLOSE int parent_fd = open(store->parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

                if (store->n_kept == 0 && parent_fd >= 0)
                        (void) folder_remove(parent_fd, store->run_id);
                /* The lock goes first: this run is one of the finished ones that are counted. */
                close_p(&store->folder_fd);
                store->folder_fd = -EBADF;
                if (parent_fd >= 0)
                        evidence_prune(parent_fd, EVIDENCE_RUNS_KEPT);
        }
        return store_free(store);
}

const char *evidence_store_path(const EvidenceStore *store) {
        return store->path;
}

bool evidence_store_has_kept(const EvidenceStore *store) {
        return store->n_kept > 0;
}

/* "03-scenarios-crash.yaml-signal=SIGKILL": readable, and safe to type in a shell. */
static char *play_folder_name(const Play *play) {
        Text text = TEXT_INIT;
        bool was_dash = true;

        text_printf(&text, "%02u-", play->index + 1);
        for (const char *c = play->name; *c && text.n_bytes < NAME_MAX_BYTES; c++) {
                bool is_plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                                strchr("._=+", *c);
                if (is_plain)
                        text_append_bytes(&text, c, 1);
                else if (!was_dash)
                        text_append(&text, "-");
                was_dash = !is_plain;
        }
        if (was_dash && text.n_bytes > 0)
                text_truncate(&text, text.n_bytes - 1);
        return text_take(&text);
}

static void write_settings(Text *text, const char *key, const Setting *settings, size_t n_settings) {
        text_printf(text, ",\n  \"%s\": {", key);
        for (size_t i = 0; i < n_settings; i++) {
                text_append(text, i > 0 ? ", " : "");
                json_write_string(text, settings[i].name, strlen(settings[i].name));
                text_append(text, ": ");
                json_write_string(text, settings[i].value, strlen(settings[i].value));
        }
        text_append(text, "}");
}

static void write_resolved(const Play *play, Text *text) {
        const Scenario *scenario = play->scenario;

        text_append(text, "{\n  \"agenttest\": ");
        json_write_string(text, AGENTTEST_VERSION, strlen(AGENTTEST_VERSION));
        text_append(text, ",\n  \"path\": ");
        json_write_string(text, scenario->path, strlen(scenario->path));
        text_printf(text, ",\n  \"document\": %u,\n  \"name\": ", scenario->n_document);
        json_write_string(text, scenario->name, strlen(scenario->name));
        text_append(text, ",\n  \"play\": ");
        json_write_string(text, play->name, strlen(play->name));
        write_settings(text, "defines", play->defines, play->n_defines);
        write_settings(text, "variables", scenario->variables, scenario->n_variables);
        text_append(text, "\n}\n");
}

int play_evidence_append(const PlayEvidence *evidence, int fd, const char *name, const char *bytes, size_t n_bytes,
                Error *reterr) {
        int r = write_all(fd, bytes, n_bytes);

        if (r < 0)
                return error_set_errno(reterr, r, "Evidence cannot be written to %s/%s", evidence->path, name);
        return 0;
}

static int open_file(const PlayEvidence *evidence, const char *name, int *ret_fd, Error *reterr) {
        *ret_fd = openat(evidence->folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0644);
        if (*ret_fd < 0)
                return error_set_errno(reterr, -errno, "Evidence file %s/%s cannot be made", evidence->path, name);
        return 0;
}

static int write_file(
                const PlayEvidence *evidence, const char *name, const char *bytes, size_t n_bytes, Error *reterr) {
        CLEANUP_CLOSE int fd = -EBADF;
        int r = open_file(evidence, name, &fd, reterr);
        return r < 0 ? r : play_evidence_append(evidence, fd, name, bytes, n_bytes, reterr);
}

static int write_what_is_known(const PlayEvidence *evidence, const Play *play, Error *reterr) {
        CLEANUP_TEXT Text resolved = TEXT_INIT;
        int r;

        if (play->source) {
                r = write_file(evidence, "scenario.yaml", play->source, play->n_source_bytes, reterr);
                if (r < 0)
                        return r;
        }
        write_resolved(play, &resolved);
        if (resolved.is_broken)
                return error_set(reterr, -ENOMEM, "Out of memory");
        return write_file(evidence, "resolved.json", resolved.bytes, resolved.n_bytes, reterr);
}

static int make_play_folder(EvidenceStore *store, const Play *play, PlayEvidence *evidence, Error *reterr) {
        CLEANUP_FREE char *name = play_folder_name(play);

        if (!name || asprintf(&evidence->path, "%s/%s", store->path, name) < 0) {
                evidence->path = NULL;
                return error_set(reterr, -ENOMEM, "Out of memory");
        }
        if (mkdirat(store->folder_fd, name, 0755) < 0)
                return error_set_errno(reterr, -errno, "Evidence folder %s cannot be made", evidence->path);
        evidence->folder_fd = openat(store->folder_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (evidence->folder_fd < 0)
                return error_set_errno(reterr, -errno, "Evidence folder %s cannot be opened", evidence->path);
        return 0;
}

int play_evidence_begin(EvidenceStore *store, const Play *play, PlayEvidence *ret_evidence, Error *reterr) {
        CLEANUP(play_evidence_done) PlayEvidence evidence = PLAY_EVIDENCE_INIT;
        int r;

        r = make_play_folder(store, play, &evidence, reterr);
        if (r < 0)
                return r;
        r = write_what_is_known(&evidence, play, reterr);
        if (r < 0)
                return r;
        r = open_file(&evidence, "timeline.ndjson", &evidence.timeline_fd, reterr);
        if (r < 0)
                return r;
        r = open_file(&evidence, "verdicts.ndjson", &evidence.verdicts_fd, reterr);
        if (r < 0)
                return r;
        r = open_file(&evidence, "performer.txt", &evidence.output_fd, reterr);
        if (r < 0)
                return r;

        *ret_evidence = evidence;
        evidence = PLAY_EVIDENCE_INIT;
        return 0;
}

void play_evidence_done(PlayEvidence *evidence) {
        close_p(&evidence->folder_fd);
        close_p(&evidence->timeline_fd);
        close_p(&evidence->verdicts_fd);
        close_p(&evidence->output_fd);
        free(evidence->path);
        *evidence = PLAY_EVIDENCE_INIT;
}

bool play_evidence_end(EvidenceStore *store, PlayEvidence *evidence, bool is_wanted) {
        struct stat status;
        bool is_kept = is_wanted || store->keeps_all;

        if (is_kept) {
                store->n_kept++;
                if (fstat(evidence->output_fd, &status) == 0 && status.st_size == 0)
                        (void) unlinkat(evidence->folder_fd, "performer.txt", 0);
        } else
                (void) folder_remove(store->folder_fd, strrchr(evidence->path, '/') + 1);
        play_evidence_done(evidence);
        return is_kept;
}
