/* SPDX-License-Identifier: MIT */

/* file: what stat() and the content of a file say. */

#include <string.h>

#include "judge/check-words.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "scenario/diagnostic.h"

enum {
        FILE_PATH,
        FILE_EXISTS,
        FILE_TYPE,
        FILE_MODE,
        FILE_OWNER,
        FILE_GROUP,
        FILE_SIZE,
        FILE_CONTENT,
        FILE_SHA256,
        FILE_JSON,
        FILE_TARGET,
        N_FILE_KEYS,
};

/* A name, or the number where the scenario wrote one: both are what `stat` shows. */
static void examine_owner(Examiner *examiner, const char *key, const char *name_field, const char *id_field) {
        const Value *value = expectation_value(examiner->expectation, key);
        const Field *id = entry_find(examiner->entry, id_field);

        if (value->is_set && id && match_text(&value->matches->match, id->bytes, id->n_bytes, &examiner->lookup))
                examine_field(examiner, key, id_field);
        else
                examine_field(examiner, key, entry_get(examiner->entry, name_field) ? name_field : id_field);
}

static void examine_content(Examiner *examiner) {
        const Field *content = entry_find(examiner->entry, "bytes");
        const char *bytes = content ? content->bytes : NULL;
        size_t n_bytes = content ? length_without_newlines(content->bytes, content->n_bytes) : 0;

        if (!examiner_has(examiner, "content") && !examiner_has(examiner, "json"))
                return;
        if (!bytes || entry_has(examiner->entry, "truncated", "yes")) {
                examine_note(examiner, TRUTH_UNKNOWN,
                                bytes ? "the file is too large to be compared as a whole"
                                      : "the content is not known");
                return;
        }
        examine_text(examiner, "content", "content", bytes, n_bytes);
        examine_json(examiner, "json", bytes, n_bytes);
}

static void examine_existing(Examiner *examiner) {
        examine_field(examiner, "type", "type");
        examine_field(examiner, "mode", "mode");
        examine_owner(examiner, "owner", "owner", "uid");
        examine_owner(examiner, "group", "group", "gid");
        examine_field(examiner, "size", "size");
        examine_field(examiner, "sha256", "sha256");
        examine_field(examiner, "target", "target");
        examine_content(examiner);
}

/* A symbolic link that leads nowhere has an errno, but is there. */
static bool is_absent(const Entry *entry, int64_t error) {
        return (error == ENOENT || error == ENOTDIR) && !entry_get(entry, "type");
}

static int examine_file(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret,
                Error *reterr) {
        bool has_to_exist = expectation_value(expectation, "exists")->is_true;
        int64_t error = entry_get_number(entry, "errno", 0);
        Examiner examiner;

        if (entry->kind != ENTRY_FILE || !entry_answers(entry, "path", expectation, facts, "path"))
                return 0;
        examiner_init(&examiner, expectation, facts, entry, ret);
        if (is_absent(entry, error))
                examine_note(&examiner, has_to_exist ? TRUTH_FALSE : TRUTH_TRUE, "there was no such file");
        else if (error != 0 && error != ENOENT)
                examine_note(&examiner, TRUTH_UNKNOWN, "it could not be read: %s", strerror((int) error));
        else if (!has_to_exist)
                examine_note(&examiner, TRUTH_FALSE, "the file was there");
        else {
                examine_existing(&examiner);
                if (examiner.matching.n_bytes == 0)
                        examine_note(&examiner, TRUTH_TRUE, "the file was there");
        }
        examiner_finish(&examiner);
        return 0;
}

static char *describe_file(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *path = NULL;
        size_t n_bytes;

        if (expectation_text(expectation, facts, SIZE_MAX, "path", &path, NULL) < 0)
                path = strdup(expectation_value(expectation, "path")->text);
        text_append(&text, path ? path : "");
        text_append(&text, expectation_value(expectation, "exists")->is_true ? ": " : " does not exist");
        n_bytes = text.n_bytes;
        describe_matches(&text, expectation, facts, "");
        if (text.n_bytes == n_bytes && expectation_value(expectation, "exists")->is_true) {
                text_truncate(&text, n_bytes - strlen(": "));
                text_append(&text, " exists");
        }
        return text_take(&text);
}

static const KeySpec file_keys[] = {
        [FILE_PATH] = { .name = "path",
                        .type = VALUE_STRING,
                        .is_required = true,
                        .doc = "Absolute path on the stage." },
        [FILE_EXISTS] = { .name = "exists",
                        .type = VALUE_BOOL,
                        .default_text = "yes",
                        .doc = "`no`: there is no such file." },
        [FILE_TYPE] = { .name = "type",
                        .type = VALUE_MATCH,
                        .doc = "file, directory, socket, fifo, character device or block device; of what a symbolic "
                               "link "
                               "leads to, and symlink where it leads nowhere." },
        [FILE_MODE] = { .name = "mode",
                        .type = VALUE_MATCH,
                        .doc = "Permission bits in octal, four digits: \"0640\". In quotes, so that it stays a "
                               "text." },
        [FILE_OWNER] = { .name = "owner", .type = VALUE_MATCH, .doc = "User, by name or number." },
        [FILE_GROUP] = { .name = "group", .type = VALUE_MATCH, .doc = "Group, by name or number." },
        [FILE_SIZE] = { .name = "size", .type = VALUE_MATCH, .doc = "Size in bytes: `>= 1`, `<= 64K`." },
        [FILE_CONTENT] = { .name = "content",
                        .type = VALUE_MATCH,
                        .doc = "The whole content without the newlines at its end, as far as it is no more than 64 "
                               "KiB." },
        [FILE_SHA256] = { .name = "sha256", .type = VALUE_MATCH, .doc = "SHA-256 of the content, in hexadecimal." },
        [FILE_JSON] = { .name = "json",
                        .type = VALUE_MATCH_MAP,
                        .doc = "The content is JSON with these members; `a.b` is the b of a, `a.0` the first of a "
                               "list." },
        [FILE_TARGET] = { .name = "target",
                        .type = VALUE_MATCH,
                        .doc = "The path is a symbolic link to this, as it is written in the link." },
};

static void check_file(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        const Value *path = &values[FILE_PATH], *mode = &values[FILE_MODE], *sha256 = &values[FILE_SHA256];

        if (path->text && path->text[0] != '/' && path->text[0] != '$')
                diagnostic_add(diagnostics, path->mark, 0, "`path` is a path on the stage and begins with a slash");
        if (mode->is_set)
                check_digits(&mode->matches->match, mode->mark, "mode", OCTAL_DIGITS, diagnostics);
        if (sha256->is_set)
                check_digits(&sha256->matches->match, sha256->mark, "sha256", SHA256_DIGITS, diagnostics);
        if (values[FILE_TYPE].is_set)
                check_words(&values[FILE_TYPE].matches->match, values[FILE_TYPE].mark, "type",
                                "file|directory|symlink|socket|fifo|character device|block device", diagnostics);
        if (values[FILE_SIZE].is_set)
                check_count(&values[FILE_SIZE].matches->match, values[FILE_SIZE].mark, "size", diagnostics);
        if (values[FILE_EXISTS].is_true)
                return;
        for (size_t i = FILE_TYPE; i < N_FILE_KEYS; i++)
                if (values[i].is_set)
                        diagnostic_add(diagnostics, values[i].mark, 0,
                                        "`%s` of a file that does not exist is nothing to compare",
                                        kind->keys[i].name);
}

const ExpectKind file_expectation = {
        .spec = {
                .name = "file",
                .doc = "A file on the stage exists, or does not, and has these attributes and this content.",
                .example = "file: { path: /run/agent/agent.pid, owner: agent, mode: \"0644\", content: /^\\d+$/ }",
                .keys = file_keys,
                .n_keys = N_FILE_KEYS,
                .shorthand = FILE_PATH,
                .check = check_file,
        },
        .question = QUESTION_FILE,
        .examine = examine_file,
        .describe = describe_file,
};
