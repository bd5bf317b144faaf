/* SPDX-License-Identifier: MIT */

/*
 * For GitHub Actions: annotations at the lines of the scenario files, and the summary of the step.
 *
 * Source: docs.github.com, "Workflow commands for GitHub Actions": how commands are escaped, stop-commands, the step
 * summary's limit of 1 MiB. Ten annotations of a level are shown for a step, so the worst come first.
 */

#include <string.h>
#include <sys/stat.h>

#include "base/quantity.h"
#include "reports/failure.h"
#include "reports/place.h"
#include "reports/xml-text.h"
#include "scenario/array.h"

enum {
        ANNOTATIONS_MAX = 10,
        ROWS_MAX = 200,
        DETAILS_MAX = 50,
        MESSAGE_BYTES_MAX = 2000,
        DETAILS_BYTES_MAX = 16 * 1024,
        SUMMARY_BYTES_MAX = 1024 * 1024 - 4096, /* what stands there already counts; a closing line has room */
};

/* A play that did not pass. All texts are clean (reports/xml-text.h), not escaped. */
typedef struct Problem {
        Outcome outcome;
        unsigned index;
        char *title, *path, *message, *details;
        Mark mark;
} Problem;

typedef struct GithubReport {
        Report report; /* first */
        GithubOptions options;
        Problem *problems;
        size_t n_problems;
        char *lateness_note; /* NULL: none */
        int problem;         /* the first -errno */
} GithubReport;

static void note(GithubReport *report, int r) {
        if (r < 0 && report->problem == 0)
                report->problem = r;
}

/* --- collecting --- */

static char *clean(const char *text, size_t n_bytes_max) {
        CLEANUP_TEXT Text cleaned = TEXT_INIT;

        xml_text(text, strlen(text), n_bytes_max, &cleaned);
        return text_take(&cleaned);
}

static bool is_problem(const GithubReport *report, Outcome outcome) {
        if (outcome == OUTCOME_INCONCLUSIVE)
                return report->options.inconclusive_as != OUTCOME_PASS;
        return outcome == OUTCOME_FAIL || outcome == OUTCOME_ERROR;
}

static char *message_of(const Verdict *verdict) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        text_append(&text, verdict && verdict->sentence ? verdict->sentence : "no verdict");
        if (verdict && verdict->expected)
                text_printf(&text, "\nexpected: %s", verdict->expected);
        if (verdict && verdict->seen)
                text_printf(&text, "\nseen: %s", verdict->seen);
        return text.is_broken ? NULL : clean(text_get(&text), MESSAGE_BYTES_MAX);
}

static char *details_of(const PlayResult *result) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        FailureStyle style = { 0 };

        failure_write(result, &style, &text);
        return text.is_broken ? NULL : clean(text_get(&text), DETAILS_BYTES_MAX);
}

static char *path_of(const GithubReport *report, const char *path) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        place_below(report->options.folder, path, &text);
        return text.is_broken ? NULL : clean(text_get(&text), 0);
}

static void github_begin(Report *base, const RunFacts *facts) {
        GithubReport *report = (GithubReport *) base;

        if (!facts->lateness_note)
                return;
        report->lateness_note = strdup(facts->lateness_note);
        if (!report->lateness_note)
                note(report, -ENOMEM);
}

static void github_play_begin(Report *base, const Play *play, uint64_t now_usec) {
}

static void github_play_end(Report *base, const PlayResult *result) {
        GithubReport *report = (GithubReport *) base;
        const Verdict *worst = judgement_worst(&result->judgement);
        Problem *problem;

        if (!is_problem(report, result->outcome))
                return;
        problem = array_append(&report->problems, &report->n_problems, sizeof(*problem));
        if (!problem) {
                note(report, -ENOMEM);
                return;
        }
        *problem = (Problem){
                .outcome = result->outcome,
                .index = result->play->index,
                .title = clean(result->play->name, MESSAGE_BYTES_MAX),
                .path = path_of(report, result->play->scenario->path),
                .message = message_of(worst),
                .details = details_of(result),
                .mark = worst ? worst->mark : (Mark){ 0 },
        };
        if (!problem->title || !problem->path || !problem->message || !problem->details)
                note(report, -ENOMEM);
}

static int worst_first(const void *a, const void *b) {
        const Problem *x = a, *y = b;

        if (x->outcome != y->outcome)
                return x->outcome < y->outcome ? 1 : -1;
        return (x->index > y->index) - (x->index < y->index);
}

/* --- annotations --- */

static void write_escaped(FILE *file, const char *text, bool is_property) {
        for (const char *c = text ?: ""; *c; c++)
                if (*c == '%' || *c == '\r' || *c == '\n' || (is_property && (*c == ':' || *c == ',')))
                        fprintf(file, "%%%02X", (unsigned char) *c);
                else
                        fputc(*c, file);
}

static void write_annotation(const GithubReport *report, const Problem *problem) {
        FILE *file = report->options.file;
        bool is_warning = problem->outcome == OUTCOME_INCONCLUSIVE && report->options.inconclusive_as != OUTCOME_FAIL;

        fprintf(file, "::%s file=", is_warning ? "warning" : "error");
        write_escaped(file, problem->path, true);
        if (problem->mark.line > 0)
                fprintf(file, ",line=%u,col=%u", problem->mark.line, problem->mark.column);
        fputs(",title=", file);
        write_escaped(file, outcome_label(problem->outcome), true);
        fputc(' ', file);
        write_escaped(file, problem->title, true);
        fputs("::", file);
        write_escaped(file, problem->message, false);
        fputc('\n', file);
}

static void write_annotations(GithubReport *report) {
        size_t n = report->n_problems, n_shown = n > ANNOTATIONS_MAX ? ANNOTATIONS_MAX - 1 : n;
        FILE *file = report->options.file;

        FOREACH_ARRAY (problem, report->problems, n_shown)
                write_annotation(report, problem);
        if (n > n_shown)
                fprintf(file, "::error title=agenttest::+%zu more scenarios did not pass\n", n - n_shown);
        (void) fflush(file);
}

/* --- the summary, in Markdown --- */

static void append_markdown(Text *text, const char *plain) {
        for (const char *c = plain ?: ""; *c; c++)
                if (*c == '<' || *c == '>' || *c == '&')
                        text_printf(text, "&#%d;", *c);
                else if (*c == '\n' || *c == '\t')
                        text_append(text, " ");
                else {
                        if (strchr("\\`*_[]|~#!@", *c))
                                text_append(text, "\\");
                        text_append_bytes(text, c, 1);
                }
}

/* In an HTML element Markdown is not read. */
static void append_html(Text *text, const char *plain) {
        for (const char *c = plain ?: ""; *c; c++)
                if (*c == '<' || *c == '>' || *c == '&')
                        text_printf(text, "&#%d;", *c);
                else
                        text_append_bytes(text, c, 1);
}

/* One backtick more than the longest run in it: nothing that a daemon wrote ends the block. */
static size_t fence_length(const char *text) {
        size_t longest = 2;

        for (const char *c = text; *c;) {
                size_t n = strspn(c, "`");

                if (n > longest)
                        longest = n;
                c += n + strcspn(c + n, "`");
        }
        return longest + 1;
}

static void append_fence(Text *text, size_t n) {
        while (n-- > 0)
                text_append(text, "`");
}

static void append_row(Text *text, const Problem *problem) {
        text_printf(text, "| %s | ", outcome_label(problem->outcome));
        append_markdown(text, problem->title);
        text_append(text, " | ");
        append_markdown(text, problem->message);
        text_append(text, " |\n");
}

static void append_details(Text *text, const Problem *problem) {
        const char *details = problem->details ?: "";
        size_t n_fence = fence_length(details);

        text_printf(text, "\n<details><summary>%s ", outcome_label(problem->outcome));
        append_html(text, problem->title);
        text_append(text, "</summary>\n\n");
        append_fence(text, n_fence);
        text_printf(text, "text\n%s", details); /* ends with a newline where it holds anything */
        append_fence(text, n_fence);
        text_append(text, "\n\n</details>\n");
}

/* As many of @problems as fit into @n_bytes_max and @n_max; how many that are. */
static size_t append_problems(Text *text, const GithubReport *report, void (*append)(Text *, const Problem *),
                size_t n_max, size_t n_bytes_max) {
        for (size_t i = 0; i < report->n_problems; i++) {
                size_t n_before = text->n_bytes;

                if (i == n_max)
                        return i;
                append(text, &report->problems[i]);
                if (text->n_bytes > n_bytes_max) {
                        text_truncate(text, n_before);
                        return i;
                }
        }
        return report->n_problems;
}

static void append_left_out(Text *text, size_t n_left_out, const char *what) {
        if (n_left_out > 0)
                text_printf(text, "\n+%zu more %s\n", n_left_out, what);
}

static void append_summary(const GithubReport *report, const RunSummary *summary, size_t n_bytes_max, Text *text) {
        char buffer[DURATION_TEXT_MAX];
        size_t n;

        text_append(text, "\n## agenttest: ");
        run_summary_line(summary, text);
        if (report->lateness_note) {
                text_append(text, "\n\nNote: ");
                append_markdown(text, report->lateness_note);
        }
        text_printf(text, "\n\nTook %s", duration_text(usec_sub(summary->end_usec, summary->begin_usec), buffer));
        if (summary->margin_of) {
                text_printf(text, ", narrowest margin %s in ", duration_text(summary->margin_usec, buffer));
                append_markdown(text, summary->margin_of);
        }
        if (summary->signal_number > 0 || summary->broken) {
                text_append(text, ". **Ended early** by ");
                if (summary->broken)
                        append_markdown(text, summary->broken);
                else
                        text_printf(text, "SIG%s", sigabbrev_np(summary->signal_number) ?: "?");
        }
        text_append(text, ".\n");
        if (report->n_problems == 0)
                return;
        text_append(text, "\n| | scenario | why |\n|---|---|---|\n");
        n = append_problems(text, report, append_row, ROWS_MAX, n_bytes_max);
        append_left_out(text, report->n_problems - n, "did not pass");
        n = append_problems(text, report, append_details, DETAILS_MAX, n_bytes_max);
        append_left_out(text, report->n_problems - n, "are told in the log and the evidence");
}

static size_t bytes_there(FILE *file) {
        struct stat status;

        return fstat(fileno(file), &status) == 0 && status.st_size > 0 ? (size_t) status.st_size : 0;
}

static int write_summary(const GithubReport *report, const RunSummary *summary) {
        CLEANUP_FILE FILE *file = fopen(report->options.summary_path, "ae");
        CLEANUP_TEXT Text text = TEXT_INIT;
        size_t n_there;

        if (!file)
                return -errno;
        n_there = bytes_there(file);
        if (n_there >= SUMMARY_BYTES_MAX) /* over the limit all of it would be dropped */
                return 0;
        append_summary(report, summary, SUMMARY_BYTES_MAX - n_there, &text);
        if (text.is_broken)
                return -ENOMEM;
        return fputs(text_get(&text), file) < 0 || fflush(file) != 0 ? -EIO : 0;
}

/* --- the report --- */

static void github_end(Report *base, const RunSummary *summary) {
        GithubReport *report = (GithubReport *) base;

        if (report->n_problems > 1)
                qsort(report->problems, report->n_problems, sizeof(*report->problems), worst_first);
        write_annotations(report);
        if (report->options.summary_path)
                note(report, write_summary(report, summary));
}

static int github_close(Report *base, Error *reterr) {
        GithubReport *report = (GithubReport *) base;
        int r = report->problem;

        FOREACH_ARRAY (problem, report->problems, report->n_problems) {
                free(problem->title);
                free(problem->path);
                free(problem->message);
                free(problem->details);
        }
        free(report->problems);
        free(report->lateness_note);
        free(report);
        return r < 0 ? error_set_errno(reterr, r, "The report for GitHub could not be written") : 0;
}

Report *github_report_new(const GithubOptions *options) {
        GithubReport *report = calloc(1, sizeof(*report));
        if (!report)
                return NULL;

        report->options = *options;
        report->report = (Report){
                .begin = github_begin,
                .play_begin = github_play_begin,
                .play_end = github_play_end,
                .end = github_end,
                .close = github_close,
        };
        return &report->report;
}
