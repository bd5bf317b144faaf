/* SPDX-License-Identifier: MIT */

/*
 * JUnit XML. There is no specification; what is written here is what its readers agree on. The only user of libxml2.
 *
 * Source: testmoapp/junitxml README; GitLab, lib/gitlab/ci/parsers/test/junit.rb; the schemas of Jenkins' xUnit
 * plugin (tests/foreign holds one of them).
 */

#include <inttypes.h>
#include <libxml/xmlwriter.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/atomic-file.h"
#include "base/quantity.h"
#include "reports/junit-case.h"
#include "reports/junit-names.h"
#include "reports/place.h"
#include "reports/told.h"

enum {
        DETAILS_BYTES_MAX = 48 * 1024,
        DETAILS_BYTES_LATE = 1024,          /* once the file is large */
        TEXTS_BYTES_MAX = 20 * 1024 * 1024, /* GitLab takes no file of 30 MB */
};

typedef struct JunitReport {
        Report report; /* first */
        JunitOptions options;
        char *version, *stage_name, *host_name;
        Told told;
        JunitCase **cases;
        size_t n_cases;
        size_t n_bytes; /* of the texts of all cases */
        uint64_t begin_usec, end_usec, begin_wall_usec;
        bool is_begun;
        int problem; /* the first -errno: the file is not complete */
} JunitReport;

static void note(JunitReport *report, int r) {
        if (r < 0 && report->problem == 0)
                report->problem = r;
}

/* --- collecting --- */

static char *copy(JunitReport *report, const char *text) {
        char *copied = text ? strdup(text) : NULL;

        note(report, text && !copied ? -ENOMEM : 0);
        return copied;
}

static void junit_begin(Report *base, const RunFacts *facts) {
        JunitReport *report = (JunitReport *) base;

        report->version = copy(report, facts->version);
        report->stage_name = copy(report, facts->stage_name);
        report->host_name = copy(report, facts->host_name);
        report->begin_usec = report->end_usec = facts->begin_usec;
        report->begin_wall_usec = facts->begin_wall_usec;
        report->is_begun = true;
        note(report, told_init(&report->told, facts));
}

static void junit_play_begin(Report *base, const Play *play, uint64_t now_usec) {
}

static int add_case(JunitReport *report, JunitCase *junit_case) {
        size_t n = report->n_cases;

        /* Room grows by doubling; the capacity is the power of two at or above the count. */
        if ((n & (n - 1)) == 0) {
                JunitCase **cases = reallocarray(report->cases, n > 0 ? n * 2 : 1, sizeof(*cases));
                if (!cases) {
                        junit_case_free(junit_case);
                        return -ENOMEM;
                }
                report->cases = cases;
        }
        report->cases[report->n_cases++] = junit_case;
        report->n_bytes += junit_case_bytes(junit_case);
        return 0;
}

static void junit_play_end(Report *base, const PlayResult *result) {
        JunitReport *report = (JunitReport *) base;
        JunitCase *junit_case = NULL;
        int r = junit_case_new(&report->options, result,
                        report->n_bytes > TEXTS_BYTES_MAX ? DETAILS_BYTES_LATE : DETAILS_BYTES_MAX, &junit_case);

        if (r >= 0)
                r = add_case(report, junit_case);
        told_note(&report->told, result->play);
        note(report, r);
}

static void add_plain(JunitReport *report, const Play *play, JunitKind kind, const char *why) {
        JunitCase *junit_case = NULL;
        int r = junit_case_new_plain(&report->options, play, kind, reason_name(REASON_INTERRUPTED), why, &junit_case);

        if (r >= 0)
                r = add_case(report, junit_case);
        note(report, r);
}

typedef struct EarlyEnd {
        JunitReport *report;
        const Text *why;
} EarlyEnd;

static void add_not_run(const Play *play, void *userdata) {
        const EarlyEnd *early = userdata;

        add_plain(early->report, play, JUNIT_SKIPPED, text_get(early->why));
}

/* Plays without a result are skipped, and an error says why: a run that was ended must not look green. */
static void tell_early_end(JunitReport *report, const char *why) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        EarlyEnd early = { .report = report, .why = &text };

        text_printf(&text, "not run: the run was ended by %s", why);
        told_visit_rest(&report->told, add_not_run, &early);
        text_truncate(&text, 0);
        text_printf(&text, "the run was ended early by %s", why);
        add_plain(report, NULL, JUNIT_ERROR, text_get(&text));
}

static void junit_end(Report *base, const RunSummary *summary) {
        JunitReport *report = (JunitReport *) base;
        char name[32];

        report->end_usec = summary->end_usec;
        if (summary->signal_number > 0) {
                (void) snprintf(name, sizeof(name), "SIG%s", sigabbrev_np(summary->signal_number) ?: "?");
                tell_early_end(report, name);
        } else if (summary->broken)
                tell_early_end(report, summary->broken);
}

/* --- writing: what libxml2 says is remembered, one check at the end --- */

typedef struct Writer {
        xmlTextWriterPtr xml;
        bool is_broken;
} Writer;

static void done(Writer *writer, int n_written) {
        writer->is_broken = writer->is_broken || n_written < 0;
}

static void begin_element(Writer *writer, const char *name) {
        done(writer, xmlTextWriterStartElement(writer->xml, BAD_CAST name));
}

static void end_element(Writer *writer) {
        done(writer, xmlTextWriterEndElement(writer->xml));
}

static void write_attribute(Writer *writer, const char *name, const char *value) {
        if (value)
                done(writer, xmlTextWriterWriteAttribute(writer->xml, BAD_CAST name, BAD_CAST value));
}

static void write_number(Writer *writer, const char *name, size_t number) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%zu", number);
        write_attribute(writer, name, text);
}

/* Seconds, a point and three digits, whatever the locale is. */
static void write_time(Writer *writer, uint64_t usec) {
        char text[32];

        (void) snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, usec / USEC_PER_SEC,
                        usec % USEC_PER_SEC / USEC_PER_MSEC);
        write_attribute(writer, "time", text);
}

/* UTC without a suffix: some schemas forbid zone and fraction. */
static void write_timestamp(Writer *writer, const JunitReport *report, uint64_t at_usec) {
        time_t seconds = (time_t) ((report->begin_wall_usec + usec_sub(at_usec, report->begin_usec)) / USEC_PER_SEC);
        struct tm parts;
        char text[32];

        if (gmtime_r(&seconds, &parts) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts) > 0)
                write_attribute(writer, "timestamp", text);
}

static void write_property(Writer *writer, const char *name, const char *value) {
        begin_element(writer, "property");
        write_attribute(writer, "name", name);
        write_attribute(writer, "value", value);
        end_element(writer);
}

/* The writer escapes ">" too, so "]]>" needs no care. */
static void write_text_element(Writer *writer, const char *name, const char *text) {
        if (text)
                done(writer, xmlTextWriterWriteElement(writer->xml, BAD_CAST name, BAD_CAST text));
}

static void write_case_properties(Writer *writer, const JunitCase *junit_case) {
        if (junit_case->measures.n_items + junit_case->n_attachments == 0)
                return;
        begin_element(writer, "properties");
        FOREACH_ARRAY (measure, junit_case->measures.items, junit_case->measures.n_items)
                write_property(writer, measure->name, measure->value);
        FOREACH_ARRAY (attachment, junit_case->attachments, junit_case->n_attachments)
                write_property(writer, "attachment", *attachment);
        end_element(writer);
}

static void write_outcome(Writer *writer, const JunitReport *report, const JunitCase *junit_case) {
        static const char *const ELEMENTS[N_JUNIT_KINDS] = {
                [JUNIT_FAILURE] = "failure",
                [JUNIT_ERROR] = "error",
                [JUNIT_SKIPPED] = "skipped",
        };

        if (!ELEMENTS[junit_case->kind])
                return;
        begin_element(writer, ELEMENTS[junit_case->kind]);
        /* The older schema of Jenkins allows a skip no attributes. */
        if (report->options.flavor != JUNIT_XUNIT2 || junit_case->kind != JUNIT_SKIPPED) {
                write_attribute(writer, "message", junit_case->message);
                write_attribute(writer, "type", junit_case->type);
        }
        done(writer, xmlTextWriterWriteString(writer->xml, BAD_CAST junit_case->details));
        end_element(writer);
}

static void write_case(
                Writer *writer, const JunitReport *report, const JunitCase *junit_case, const char *class_name) {
        begin_element(writer, "testcase");
        write_attribute(writer, "name", junit_case->name);
        write_attribute(writer, "classname", class_name);
        write_time(writer, junit_case->duration_usec);
        if (report->options.flavor != JUNIT_XUNIT2) {
                write_attribute(writer, "file", junit_case->path[0] ? junit_case->path : NULL);
                if (junit_case->line > 0)
                        write_number(writer, "line", junit_case->line);
                write_number(writer, "assertions", junit_case->n_verdicts);
        }
        if (report->options.flavor == JUNIT_COMMON)
                write_case_properties(writer, junit_case);
        write_outcome(writer, report, junit_case);
        write_text_element(writer, "system-out", junit_case->system_out);
        end_element(writer);
}

/* --- suites: the cases of one file, which stand side by side once they are sorted --- */

typedef struct Counts {
        size_t n_with[N_JUNIT_KINDS];
        uint64_t begin_usec, duration_usec;
} Counts;

static Counts count(JunitCase *const *cases, size_t n_cases) {
        Counts counts = { .begin_usec = USEC_INFINITY };

        FOREACH_ARRAY (item, cases, n_cases) {
                counts.n_with[(*item)->kind]++;
                counts.duration_usec += (*item)->duration_usec;
                if ((*item)->begin_usec > 0 && (*item)->begin_usec < counts.begin_usec)
                        counts.begin_usec = (*item)->begin_usec;
        }
        return counts;
}

static void write_counts(Writer *writer, const Counts *counts, size_t n_cases) {
        write_number(writer, "tests", n_cases);
        write_number(writer, "failures", counts->n_with[JUNIT_FAILURE]);
        write_number(writer, "errors", counts->n_with[JUNIT_ERROR]);
}

static void write_suite_properties(
                Writer *writer, const JunitReport *report, JunitCase *const *cases, size_t n_cases) {
        Measures measures = { 0 }; /* borrowed from the first that has any */
        bool is_told = false;

        for (size_t i = 0; i < n_cases && measures.n_items == 0; i++)
                measures = cases[i]->measures;
        begin_element(writer, "properties");
        FOREACH_ARRAY (measure, measures.items, measures.n_items)
                if (measure_is_version(measure)) {
                        write_property(writer, measure->name, measure->value);
                        is_told = true;
                }
        if (!is_told) { /* nothing of it was performed */
                write_property(writer, "agenttest_version", report->version ?: "");
                write_property(writer, "stage", report->stage_name ?: "");
        }
        end_element(writer);
}

static void write_suite(Writer *writer, const JunitReport *report, JunitCase *const *cases, size_t n_cases,
                const char *class_name, size_t id) {
        CLEANUP_FREE char *package = strdup(class_name);
        Counts counts = count(cases, n_cases);
        const char *path = cases[0]->path[0] ? cases[0]->path : NULL;

        if (package && strrchr(package, '.'))
                *strrchr(package, '.') = '\0';
        begin_element(writer, "testsuite");
        write_attribute(writer, "name", path ?: "agenttest");
        write_counts(writer, &counts, n_cases);
        write_number(writer, "skipped", counts.n_with[JUNIT_SKIPPED]);
        write_time(writer, counts.duration_usec);
        write_timestamp(writer, report, counts.begin_usec == USEC_INFINITY ? report->begin_usec : counts.begin_usec);
        write_attribute(writer, "hostname", report->host_name);
        write_number(writer, "id", id);
        write_attribute(writer, "package", package);
        if (report->options.flavor != JUNIT_XUNIT2)
                write_attribute(writer, "file", path);
        write_suite_properties(writer, report, cases, n_cases);
        FOREACH_ARRAY (item, cases, n_cases)
                write_case(writer, report, *item, class_name);
        end_element(writer);
}

/* By the name of the file (the run itself last), then in the order of the run. */
static int compare_cases(const void *a, const void *b) {
        const JunitCase *x = *(JunitCase *const *) a, *y = *(JunitCase *const *) b;
        int by_path = strcmp(x->path, y->path);

        if (by_path != 0)
                return x->path[0] == '\0' ? 1 : y->path[0] == '\0' ? -1 : by_path;
        return (x->index > y->index) - (x->index < y->index);
}

static size_t suite_end(const JunitReport *report, size_t begin) {
        size_t end = begin + 1;

        while (end < report->n_cases && strcmp(report->cases[begin]->path, report->cases[end]->path) == 0)
                end++;
        return end;
}

/* Two files may come to one class ("a.b/x", "a_b/x"). */
static int class_of_suite(const JunitReport *report, size_t begin, Text *ret_class) {
        size_t n_same = 0;

        place_class(report->cases[begin]->path, ret_class);
        for (size_t i = 0; i < begin; i = suite_end(report, i)) {
                CLEANUP_TEXT Text other = TEXT_INIT;

                place_class(report->cases[i]->path, &other);
                n_same += strcmp(text_get(&other), text_get(ret_class)) == 0;
        }
        if (n_same > 0)
                text_printf(ret_class, "~%zu", n_same + 1);
        return ret_class->is_broken ? -ENOMEM : 0;
}

static void write_suites(Writer *writer, const JunitReport *report) {
        Counts counts = count(report->cases, report->n_cases);
        size_t n_suites = 0;

        begin_element(writer, "testsuites");
        write_attribute(writer, "name", "agenttest");
        write_counts(writer, &counts, report->n_cases);
        if (report->options.flavor != JUNIT_XUNIT2)
                write_number(writer, "skipped", counts.n_with[JUNIT_SKIPPED]);
        write_time(writer, usec_sub(report->end_usec, report->begin_usec));
        if (report->options.flavor != JUNIT_XUNIT2)
                write_timestamp(writer, report, report->begin_usec);
        for (size_t begin = 0, end; begin < report->n_cases; begin = end) {
                CLEANUP_TEXT Text class_name = TEXT_INIT;

                end = suite_end(report, begin);
                if (class_of_suite(report, begin, &class_name) < 0 ||
                                junit_names_make_unique(report->cases + begin, end - begin) < 0)
                        writer->is_broken = true;
                write_suite(writer, report, report->cases + begin, end - begin, text_get(&class_name), n_suites++);
        }
        end_element(writer);
}

/* --- the file --- */

static int write_document(JunitReport *report, xmlBufferPtr buffer) {
        Writer writer = { .xml = buffer ? xmlNewTextWriterMemory(buffer, 0) : NULL };

        if (!writer.xml)
                return -ENOMEM;
        if (report->n_cases > 1)
                qsort(report->cases, report->n_cases, sizeof(JunitCase *), compare_cases);
        done(&writer, xmlTextWriterSetIndent(writer.xml, 1));
        done(&writer, xmlTextWriterSetIndentString(writer.xml, BAD_CAST "  "));
        done(&writer, xmlTextWriterStartDocument(writer.xml, NULL, "UTF-8", NULL));
        write_suites(&writer, report);
        done(&writer, xmlTextWriterEndDocument(writer.xml));
        xmlFreeTextWriter(writer.xml);
        return writer.is_broken ? -ENOMEM : 0;
}

/* Incomplete is better than nothing, and told. */
static int write_file(JunitReport *report, Error *reterr) {
        xmlBufferPtr buffer = xmlBufferCreate();
        int r = write_document(report, buffer);

        if (r >= 0)
                r = atomic_file_write(report->options.path, (const char *) xmlBufferContent(buffer),
                                (size_t) xmlBufferLength(buffer), reterr);
        if (buffer)
                xmlBufferFree(buffer);
        return r < 0 ? r : report->problem;
}

static void junit_free(JunitReport *report) {
        for (size_t i = 0; i < report->n_cases; i++)
                junit_case_free(report->cases[i]);
        free(report->cases);
        told_done(&report->told);
        free(report->version);
        free(report->stage_name);
        free(report->host_name);
        free(report);
}

static int junit_close(Report *base, Error *reterr) {
        JunitReport *report = (JunitReport *) base;
        int r = report->is_begun ? write_file(report, reterr) : 0;

        if (r < 0) {
                (void) error_set_errno(reterr, r, "%s is not complete", report->options.path);
                (void) error_prefix(reterr, "The JUnit report");
        }
        junit_free(report);
        return r;
}

int junit_report_new(const JunitOptions *options, Report **ret_report, Error *reterr) {
        JunitReport *report;
        int r = atomic_file_check(options->path, reterr);

        if (r < 0)
                return error_prefix(reterr, "The JUnit report");
        report = calloc(1, sizeof(*report));
        if (!report)
                return error_set(reterr, -ENOMEM, "Out of memory");
        report->options = *options;
        report->report = (Report){
                .begin = junit_begin,
                .play_begin = junit_play_begin,
                .play_end = junit_play_end,
                .end = junit_end,
                .close = junit_close,
        };
        *ret_report = &report->report;
        return 0;
}
