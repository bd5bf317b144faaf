/* SPDX-License-Identifier: MIT */

/* socket: does it accept a connection? */

#include <string.h>

#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "scenario/check-address.h"
#include "scenario/diagnostic.h"

enum { SOCKET_ADDRESS, SOCKET_ACCEPTS, N_SOCKET_KEYS };

/*
 * Errors that say "nobody accepts here". All others (permission, no descriptors left, an address nobody understands)
 * are about the question. Source: connect(2), unix(7), tcp(7).
 */
static bool is_refusal(int64_t error) {
        static const int refusals[] = {
                ENOENT, ENOTDIR, ECONNREFUSED, ECONNRESET, ENOTSOCK, EPROTOTYPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH,
                EAGAIN, /* a UNIX socket whose backlog is full */
        };

        for (size_t i = 0; i < ELEMENTS_OF(refusals); i++)
                if (error == refusals[i])
                        return true;
        return false;
}

static int examine_socket(const Expectation *expectation, const Case *facts, const Entry *entry, Examination *ret,
                Error *reterr) {
        bool has_to_accept = expectation_value(expectation, "accepts")->is_true;
        int64_t error = entry_get_number(entry, "errno", 0);
        Examiner examiner;

        if (entry->kind != ENTRY_SOCKET || !entry_answers(entry, "address", expectation, facts, "address"))
                return 0;
        examiner_init(&examiner, expectation, facts, entry, ret);
        if (error == 0)
                examine_note(&examiner, has_to_accept ? TRUTH_TRUE : TRUTH_FALSE, "it accepted a connection");
        else if (is_refusal(error))
                examine_note(&examiner, has_to_accept ? TRUTH_FALSE : TRUTH_TRUE, "it did not accept: %s",
                                strerror((int) error));
        else
                examine_note(&examiner, TRUTH_UNKNOWN, "it could not be tried: %s", strerror((int) error));
        examiner_finish(&examiner);
        return 0;
}

static char *describe_socket(const Expectation *expectation, const Case *facts) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        CLEANUP_FREE char *address = NULL;

        (void) expectation_text(expectation, facts, SIZE_MAX, "address", &address, NULL);
        text_printf(&text, "%s %s", address ? address : expectation_value(expectation, "address")->text,
                        expectation_value(expectation, "accepts")->is_true ? "accepts a connection"
                                                                           : "accepts no connection");
        return text_take(&text);
}

static const KeySpec socket_keys[] = {
        [SOCKET_ADDRESS] = { .name = "address",
                        .type = VALUE_STRING,
                        .is_required = true,
                        .doc = "Path of a UNIX stream socket, `@name` of an abstract one, or host:port with an IP "
                               "address or "
                               "localhost: `127.0.0.1:6379`, `[::1]:80`." },
        [SOCKET_ACCEPTS] = { .name = "accepts",
                        .type = VALUE_BOOL,
                        .default_text = "yes",
                        .doc = "`no`: there is no such socket, or it refuses." },
};

static void check_socket(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        check_address(&values[SOCKET_ADDRESS], diagnostics);
}

const ExpectKind socket_expectation = {
        .spec = {
                .name = "socket",
                .doc = "A stream socket accepts a connection; the connection is closed again at once.",
                .example = "socket: /run/agent/control",
                .keys = socket_keys,
                .n_keys = N_SOCKET_KEYS,
                .shorthand = SOCKET_ADDRESS,
                .check = check_socket,
        },
        .question = QUESTION_SOCKET,
        .examine = examine_socket,
        .describe = describe_socket,
};
