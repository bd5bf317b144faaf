/* SPDX-License-Identifier: MIT */

/*
 * TAP 13. Source: testanything.org, "TAP version 13 specification". Version 13, because the prove of Debian 12 takes
 * 14 for a parse error. Points are numbered as they come: scenarios end in any order, numbers must rise.
 */

#include <inttypes.h>
#include <string.h>

#include "base/json.h"
#include "base/quantity.h"
#include "reports/report.h"

typedef struct TapReport {
        Report report; /* first */
        TapOptions options;
        size_t n_points;
        int problem; /* the first -errno */
} TapReport;

/* Each point is there as soon as it is known, for whoever reads along. */
static void flush(TapReport *report) {
        if (fflush(report->options.file) != 0 && report->problem == 0)
                report->problem = -errno;
}

/*
 * One character of @text, whole. Bytes of none become U+FFFD, so that all of the file is UTF-8; so do U+0080 to
 * U+009F, which move cursors. Returns its bytes.
 */
static size_t write_character(FILE *file, const char *text) {
        size_t n = utf8_length(text, strlen(text));
        bool is_c1 = n == 2 && (unsigned char) text[0] == 0xc2 && (unsigned char) text[1] < 0xa0;

        if (n == 0 || is_c1)
                fputs("\xef\xbf\xbd", file);
        else
                (void) fwrite(text, 1, n, file);
        return n > 0 ? n : 1;
}

/* A description or a reason: one line, no control characters, nothing that reads as a directive. */
static void write_plain(FILE *file, const char *text) {
        for (const char *c = text; *c;) {
                if (*c == '\\' || *c == '#')
                        fputc('\\', file);
                if ((unsigned char) *c < 0x20 || *c == 0x7f) {
                        fputc(' ', file);
                        c++;
                } else
                        c += write_character(file, c);
        }
}

/*
 * A character of a double-quoted scalar. \xHH and not JSON's \u00HH: it is YAML too, and the YAML reader in
 * TAP::Parser knows no \u. "##[" is a command to GitHub's runner, wherever it stands in a line, and a daemon may
 * write it. Source: actions/runner, ActionCommand.TryParse().
 */
static size_t write_quoted_character(FILE *file, const char *c) {
        if (*c == '"' || *c == '\\')
                fprintf(file, "\\%c", *c);
        else if (*c == '\n')
                fputs("\\n", file);
        else if (*c == '\t')
                fputs("\\t", file);
        else if ((unsigned char) *c < 0x20 || *c == 0x7f || (c[0] == '#' && c[1] == '['))
                fprintf(file, "\\x%02x", (unsigned char) *c);
        else
                return write_character(file, c);
        return 1;
}

static void write_quoted(FILE *file, const char *text) {
        fputc('"', file);
        while (*text)
                text += write_quoted_character(file, text);
        fputc('"', file);
}

static void write_pair(FILE *file, const char *key, const char *text) {
        if (!text)
                return;
        fprintf(file, "  %s: ", key);
        write_quoted(file, text);
        fputc('\n', file);
}

static void write_place(FILE *file, const PlayResult *result, const Verdict *verdict) {
        fputs("  at:\n    file: ", file);
        write_quoted(file, result->play->scenario->path);
        if (verdict->mark.line > 0)
                fprintf(file, "\n    line: %u\n    column: %u", verdict->mark.line, verdict->mark.column);
        fputc('\n', file);
}

static void write_list(FILE *file, const char *key, char *const *items, size_t n_items) {
        if (n_items == 0)
                return;
        fprintf(file, "  %s:\n", key);
        FOREACH_ARRAY (item, items, n_items) {
                fputs("    - ", file);
                write_quoted(file, *item);
                fputc('\n', file);
        }
}

/* One indented block directly behind its point, about the verdict that decided. */
static void write_block(FILE *file, const PlayResult *result) {
        const Verdict *verdict = judgement_worst(&result->judgement);
        uint64_t duration_usec = usec_sub(result->end_usec, result->begin_usec);

        fputs("  ---\n", file);
        write_pair(file, "message", verdict ? verdict->sentence : "no verdict");
        write_pair(file, "severity", "fail");
        write_pair(file, "outcome", outcome_name(result->outcome));
        if (verdict) {
                write_pair(file, "reason", reason_name(verdict->reason));
                write_pair(file, "id", verdict->id);
                write_place(file, result, verdict);
                write_pair(file, "wanted", verdict->expected);
                write_pair(file, "found", verdict->seen);
                write_list(file, "nearest", verdict->near_misses, verdict->n_near_misses);
        }
        write_pair(file, "evidence", result->evidence_path);
        fprintf(file, "  duration_ms: %" PRIu64 "\n  ...\n", duration_usec / USEC_PER_MSEC);
}

static bool is_ok(const TapReport *report, Outcome outcome) {
        if (outcome == OUTCOME_INCONCLUSIVE)
                return report->options.inconclusive_as == OUTCOME_PASS;
        return outcome == OUTCOME_PASS || outcome == OUTCOME_SKIP;
}

static void tap_begin(Report *base, const RunFacts *facts) {
        TapReport *report = (TapReport *) base;

        fputs("TAP version 13\n", report->options.file);
        if (facts->n_plays == 0)
                fputs("1..0 # SKIP no scenario is selected\n", report->options.file);
        else
                fprintf(report->options.file, "1..%zu\n", facts->n_plays);
        if (facts->lateness_note) {
                fputs("# ", report->options.file);
                write_plain(report->options.file, facts->lateness_note);
                fputc('\n', report->options.file);
        }
        flush(report);
}

static void tap_play_begin(Report *base, const Play *play, uint64_t now_usec) {
}

static void tap_play_end(Report *base, const PlayResult *result) {
        TapReport *report = (TapReport *) base;
        FILE *file = report->options.file;

        fprintf(file, "%s %zu - ", is_ok(report, result->outcome) ? "ok" : "not ok", ++report->n_points);
        write_plain(file, result->play->name);
        if (result->outcome == OUTCOME_SKIP) {
                const Verdict *verdict = judgement_worst(&result->judgement);

                fputs(" # SKIP ", file);
                write_plain(file, verdict && verdict->sentence ? verdict->sentence : "");
        }
        fputc('\n', file);
        if (result->outcome != OUTCOME_PASS && result->outcome != OUTCOME_SKIP)
                write_block(file, result);
        flush(report);
}

/* A plan that is not kept is an error to every consumer; Bail out! says why it was not. */
static void tap_end(Report *base, const RunSummary *summary) {
        TapReport *report = (TapReport *) base;
        FILE *file = report->options.file;

        if (summary->broken) {
                fputs("Bail out! ", file);
                write_plain(file, summary->broken);
                fputc('\n', file);
        } else if (summary->signal_number > 0)
                fprintf(file, "Bail out! ended by signal %d (%s)\n", summary->signal_number,
                                strsignal(summary->signal_number));
        flush(report);
}

static int tap_close(Report *base, Error *reterr) {
        TapReport *report = (TapReport *) base;
        const char *path = report->options.path;
        int r;

        flush(report);
        if (ferror(report->options.file) && report->problem == 0)
                report->problem = -EIO;
        if (report->options.closes_file && fclose(report->options.file) != 0 && report->problem == 0)
                report->problem = -errno;
        r = report->problem;
        free(report);
        return r < 0 ? error_set_errno(reterr, r, "The TAP report could not be written to %s",
                                       path ?: "standard output")
                     : 0;
}

Report *tap_report_new(const TapOptions *options) {
        TapReport *report = calloc(1, sizeof(*report));
        if (!report)
                return NULL;

        report->options = *options;
        report->report = (Report){
                .begin = tap_begin,
                .play_begin = tap_play_begin,
                .play_end = tap_play_end,
                .end = tap_end,
                .close = tap_close,
        };
        return &report->report;
}
