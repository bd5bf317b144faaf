/* SPDX-License-Identifier: MIT */
#include "perform/stream.h"

#include "base/write-all.h"
#include "timeline/codec.h"

static int write_text(int fd, const Text *text) {
        return text->is_broken ? -ENOMEM : write_all(fd, text_get(text), text->n_bytes);
}

int stream_entry(int fd, const Entry *entry) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        entry_encode(entry, &text);
        return write_text(fd, &text);
}

int stream_verdicts(int fd, const Judgement *judgement) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        FOREACH_ARRAY (verdict, judgement->verdicts, judgement->n_verdicts)
                verdict_encode(verdict, &text);
        return write_text(fd, &text);
}

int stream_end(int fd, Outcome outcome) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_printf(&text, "{\"end\":\"%s\"}\n", outcome_name(outcome));
        return write_text(fd, &text);
}
