/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <string.h>

void error_done(Error *error) {
        if (!error)
                return;
        free(error->message);
        *error = ERROR_INIT;
}

static void error_take(Error *error, int code, char *message) {
        error->code = code;
        error->message = message;
}

int error_set(Error *reterr, int code, const char *format, ...) {
        char *message = NULL;
        va_list arguments;

        assert(code < 0);
        if (!reterr || reterr->message)
                return code;

        va_start(arguments, format);
        if (vasprintf(&message, format, arguments) < 0)
                message = NULL;
        va_end(arguments);
        error_take(reterr, code, message);
        return code;
}

int error_set_errno(Error *reterr, int code, const char *format, ...) {
        CLEANUP_FREE char *what = NULL;
        va_list arguments;

        assert(code < 0);
        if (!reterr || reterr->message)
                return code;

        va_start(arguments, format);
        if (vasprintf(&what, format, arguments) < 0)
                what = NULL;
        va_end(arguments);
        return error_set(reterr, code, "%s: %s", what ? what : "out of memory", strerror(-code));
}

int error_prefix(Error *reterr, const char *format, ...) {
        CLEANUP_FREE char *prefix = NULL, *inner = NULL;
        char *message = NULL;
        va_list arguments;

        if (!reterr)
                return -EINVAL;

        va_start(arguments, format);
        if (vasprintf(&prefix, format, arguments) < 0)
                prefix = NULL;
        va_end(arguments);

        inner = TAKE_PTR(reterr->message);
        if (asprintf(&message, "%s: %s", prefix ? prefix : "", inner ? inner : strerror(-reterr->code)) < 0)
                message = NULL;
        reterr->message = message;
        return reterr->code;
}

const char *error_text(const Error *error) {
        if (error->message)
                return error->message;
        return strerror(error->code < 0 ? -error->code : 0);
}
