/* SPDX-License-Identifier: MIT */

/* log: lines of the journal. */

#include <inttypes.h>
#include <string.h>

#include "base/quantity.h"
#include "judge/check-words.h"
#include "judge/count.h"
#include "judge/examine.h"
#include "judge/expect-kinds.h"
#include "judge/log-scan.h"
#include "judge/window.h"
#include "scenario/diagnostic.h"

enum {
        LOG_MESSAGE,
        LOG_JSON,
        LOG_FIELDS,
        LOG_PRIORITY,
        LOG_IDENTIFIER,
        LOG_COUNT,
        LOG_FROM,
        LOG_AFTER,
        LOG_SAVE,
        N_LOG_KEYS,
};

#define MOMENT_MAX (WINDOW_MOMENT_MAX + DURATION_TEXT_MAX)

/* One judgement under way. */
typedef struct LogCase {
        const Expectation *expectation;
        const Case *facts;
        const Window *window;
        LogScan scan;
        Verdict *verdict;
} LogCase;

/* As window_moment(), also for what came before the window. */
static const char *moment(const LogCase *log, uint64_t at_usec, char buffer[static MOMENT_MAX]) {
        char duration[DURATION_TEXT_MAX];

        if (at_usec >= log->window->from_usec)
                return window_moment(log->facts, log->window, at_usec, buffer);
        (void) snprintf(buffer, MOMENT_MAX, "%s before the window",
                        duration_text(log->window->from_usec - at_usec, duration));
        return buffer;
}

/* " within 5s", "" where the window has no deadline. */
static const char *within(const LogCase *log, char buffer[static MOMENT_MAX]) {
        char duration[DURATION_TEXT_MAX];

        buffer[0] = '\0';
        if (log->window->deadline_usec != USEC_INFINITY)
                (void) snprintf(buffer, MOMENT_MAX, " within %s",
                                duration_text(log->window->deadline_usec - log->window->from_usec, duration));
        return buffer;
}

static const char *journal_unit(const LogCase *log) {
        const char *from = expectation_value(log->expectation, "from")->text;

        return strcmp(from, "any") == 0 ? NULL : log->expectation->unit;
}

/* The timeline's entry about the hit, where there is one: many lines have none. */
static int rest_on(const LogCase *log, const LogHit *hit) {
        for (const Entry *entry = timeline_next(log->facts->timeline, 0, ENTRY_LOG, NULL); entry;
                        entry = timeline_next(log->facts->timeline, entry->index + 1, ENTRY_LOG, NULL))
                if (entry_get_usec(entry, "seqnum", 0) == hit->seqnum &&
                                entry_has(entry, "expectation", log->expectation->id))
                        return verdict_rest_on(log->verdict, entry->index);
        return 0;
}

static int add_near_miss(const LogCase *log, const LogHit *hit, const char *remark) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        char buffer[MOMENT_MAX];

        if (!hit)
                return 0;
        text_printf(&text, "%s%s: ", moment(log, hit->at_usec, buffer), remark);
        if (hit->excerpt)
                append_quoted(&text, hit->excerpt, strlen(hit->excerpt), QUOTED_MAX);
        else
                text_printf(&text, "line %" PRIu64, hit->seqnum);
        return text.is_broken ? -ENOMEM : verdict_add_near_miss(log->verdict, text_get(&text));
}

/* What came near: such lines at another time, then other lines that satisfy most of the comparisons. */
static int add_near_misses(const LogCase *log) {
        const LogScan *scan = &log->scan;
        const LogHit *near_misses;
        size_t n_near_misses;
        int r;

        r = add_near_miss(log, scan->misordered, ", out of order");
        if (r >= 0)
                r = add_near_miss(log, scan->undecided, ", stamped after the deadline");
        if (r >= 0 && scan->n_in_time == 0)
                r = add_near_miss(log, scan->early, "");
        near_misses = logbook_near_misses(log->facts->logbook, log->expectation, &n_near_misses);
        for (size_t i = 0; r >= 0 && i < n_near_misses; i++)
                if (near_misses[i].at_usec <= scan->known_until_usec &&
                                (!near_misses[i].lacks_unit ||
                                                unit_had_process(log->facts->timeline, log->expectation->unit,
                                                                near_misses[i].pid)))
                        r = add_near_miss(log, &near_misses[i], "");
        return r;
}

static int see(const LogCase *log, const LogHit *hit) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        if (!hit->excerpt)
                return 0;
        append_quoted(&text, hit->excerpt, strlen(hit->excerpt), QUOTED_MAX);
        log->verdict->seen = text_take(&text);
        return log->verdict->seen ? 0 : -ENOMEM;
}

static int decide_pass(const LogCase *log, const LogHit *hit) {
        Verdict *verdict = log->verdict;
        char buffer[MOMENT_MAX];
        const char *name, *value;
        int r;

        logbook_choose(log->facts->logbook, log->expectation, hit);
        if (expectation_value(log->expectation, "save")->is_true &&
                        !logbook_capture(log->facts->logbook, log->expectation, 0, &name, &value))
                return verdict_decide(verdict, REASON_UNREADABLE,
                                "the line came, but so many did before it that its captures were not kept");
        verdict->at_usec = hit->at_usec;
        verdict->margin_usec = window_margin(log->window, hit->at_usec);
        r = rest_on(log, hit);
        if (r >= 0)
                r = see(log, hit);
        return r < 0 ? r
                     : verdict_decide(verdict, REASON_HELD, "the line came %s", moment(log, hit->at_usec, buffer));
}

static int decide_late(const LogCase *log) {
        const LogHit *hit = log->scan.undecided;
        char late[DURATION_TEXT_MAX];
        int r;

        log->verdict->at_usec = hit->at_usec;
        r = rest_on(log, hit);
        if (r >= 0)
                r = see(log, hit);
        return r < 0 ? r
                     : verdict_decide(log->verdict, REASON_LATE_STAMP,
                                       "journald stamped the line %s after the deadline; it may have been written in "
                                       "time",
                                       duration_text(hit->at_usec - log->window->deadline_usec, late));
}

/* The reason why what was not seen may have been there all the same; REASON_NONE: it was not there. */
static Reason doubt(const LogCase *log, Text *ret_why) {
        const char *doubt = logbook_doubt(log->facts->logbook, log->expectation);

        if (doubt) {
                text_append(ret_why, doubt);
                return REASON_UNREADABLE;
        }
        return window_is_complete(log->facts, log->window, CHANNEL_JOURNAL, journal_unit(log), ret_why)
                               ? REASON_NONE
                               : REASON_CHANNEL_LOST;
}

static int decide_absent(const LogCase *log) {
        const char *after = expectation_value(log->expectation, "after")->text;
        char limit[MOMENT_MAX], buffer[MOMENT_MAX];

        if (log->scan.misordered)
                return verdict_decide(log->verdict, REASON_TOO_EARLY, "the line came %s, but not after `%s`%s",
                                moment(log, log->scan.misordered->at_usec, buffer), after,
                                log->scan.preceding ? "" : ", which never came");
        return verdict_decide(log->verdict, REASON_NOT_OBSERVED, "no such line came%s", within(log, limit));
}

static int evaluate_any(const LogCase *log) {
        CLEANUP_TEXT Text why = TEXT_INIT;
        Reason reason;
        int r;

        if (log->scan.first)
                return decide_pass(log, log->scan.first);
        if (!window_is_over(log->window))
                return 0;
        if (!log->window->is_closed)
                return verdict_decide(log->verdict, REASON_NOT_RECORDED,
                                "no such line came, but the recording ends before the window does");
        r = add_near_misses(log);
        if (r < 0)
                return r;
        if (log->scan.undecided)
                return decide_late(log);
        reason = doubt(log, &why);
        if (reason != REASON_NONE)
                return verdict_decide(log->verdict, reason, "no such line was seen, but %s", text_get(&why));
        return decide_absent(log);
}

static int decide_count(const LogCase *log, const Match *match, const TemplateLookup *lookup) {
        const LogScan *scan = &log->scan;
        size_t n_low = scan->n_in_time, n_high = n_low + scan->n_undecided;
        Verdict *verdict = log->verdict;
        CLEANUP_TEXT Text why = TEXT_INIT;
        Reason reason;
        char limit[MOMENT_MAX];
        int r;

        if (asprintf(&verdict->seen, "count was %zu", n_low) < 0) {
                verdict->seen = NULL;
                return -ENOMEM;
        }
        reason = doubt(log, &why);
        switch (count_matches(match, n_low, reason == REASON_NONE ? n_high : SIZE_MAX, lookup)) {
        case CERTAINLY:
                logbook_choose(log->facts->logbook, log->expectation, scan->first);
                r = scan->first ? rest_on(log, scan->first) : 0;
                verdict->margin_usec = USEC_INFINITY;
                return r < 0 ? r
                             : verdict_decide(verdict, REASON_HELD, "%zu such lines came%s", n_low,
                                               within(log, limit));
        case CERTAINLY_NOT:
                r = n_low == 0 ? add_near_misses(log) : rest_on(log, scan->first);
                return r < 0 ? r
                             : verdict_decide(verdict, REASON_WRONG_VALUE, "%zu such lines came%s", n_low,
                                               within(log, limit));
        case UNCERTAIN:
                break;
        }
        if (reason == REASON_NONE)
                return verdict_decide(verdict, REASON_LATE_STAMP,
                                "%zu such lines came%s, and %zu that journald stamped after the deadline", n_low,
                                within(log, limit), scan->n_undecided);
        return verdict_decide(verdict, reason, "%zu such lines were seen, but %s", n_low, text_get(&why));
}

/* How many there are is known at the end of the window only; that there are at least, or too many, may be known
 * before. */
static int evaluate_count(const LogCase *log) {
        const Match *match = &expectation_value(log->expectation, "count")->matches->match;
        CaptureScope scope = { .facts = log->facts, .before = log->window->end_index };
        TemplateLookup lookup = capture_lookup(&scope);

        if (count_matches(match, log->scan.n_in_time, SIZE_MAX, &lookup) != UNCERTAIN)
                return decide_count(log, match, &lookup);
        if (!window_is_over(log->window))
                return 0;
        if (!log->window->is_closed)
                return verdict_decide(log->verdict, REASON_NOT_RECORDED,
                                "%zu such lines came, but the recording ends before the window does",
                                log->scan.n_in_time);
        return decide_count(log, match, &lookup);
}

static int evaluate_log(const Expectation *expectation, const Case *facts, const Window *window, Verdict *ret_verdict,
                Error *reterr) {
        LogCase log = { .expectation = expectation, .facts = facts, .window = window, .verdict = ret_verdict };

        logbook_choose(facts->logbook, expectation, NULL);
        log_scan(expectation, facts, window, &log.scan);
        return expectation_value(expectation, "count")->is_set ? evaluate_count(&log) : evaluate_any(&log);
}

static char *describe_log(const Expectation *expectation, const Case *facts) {
        const char *from = expectation_value(expectation, "from")->text;
        const Value *after = expectation_value(expectation, "after"),
                    *count = expectation_value(expectation, "count");
        CLEANUP_TEXT Text text = TEXT_INIT;

        if (strcmp(from, "unit") == 0)
                text_printf(&text, "a line of %s with ", expectation->unit);
        else if (strcmp(from, "manager") == 0)
                text_printf(&text, "a line of the manager about %s with ", expectation->unit);
        else
                text_append(&text, "a line with ");
        describe_matches(&text, expectation, facts, "count");
        if (after->is_set)
                text_printf(&text, ", after `%s`", after->text);
        if (count->is_set) {
                CaptureScope scope = { .facts = facts, .before = SIZE_MAX };
                TemplateLookup lookup = capture_lookup(&scope);
                CLEANUP_FREE char *words = match_describe(&count->matches->match, &lookup);

                text_printf(&text, ", count %s", words ? words : "");
        }
        return text_take(&text);
}

static const KeySpec log_keys[] = {
        [LOG_MESSAGE] = { .name = "message",
                        .type = VALUE_MATCH,
                        .doc = "The line's text. A /regex/ is searched for anywhere in it; a text has to equal the "
                               "whole." },
        [LOG_JSON] = { .name = "json",
                        .type = VALUE_MATCH_MAP,
                        .doc = "The line is a JSON object with these members; `a.b` is the b of a. All must match." },
        [LOG_FIELDS] = { .name = "fields",
                        .type = VALUE_MATCH_MAP,
                        .doc = "Journal fields by their names (systemd.journal-fields(7)): `_UID: 0`. All must "
                               "match." },
        [LOG_PRIORITY] = { .name = "priority",
                        .type = VALUE_PRIORITY,
                        .doc = "The level, by name or number. `<= err` is err and what is worse." },
        [LOG_IDENTIFIER] = { .name = "identifier", .type = VALUE_MATCH, .doc = "The syslog identifier." },
        [LOG_COUNT] = { .name = "count",
                        .type = VALUE_MATCH,
                        .doc = "How many such lines there are: decided when the window closes, or as soon as no "
                               "further line can change it. Without it one is enough." },
        [LOG_FROM] = { .name = "from",
                        .type = VALUE_CHOICE,
                        .choices = "unit|manager|any",
                        .default_text = "unit",
                        .doc = "Whose lines: those of the unit's processes, those of the service manager about the "
                               "unit, or all." },
        [LOG_AFTER] = { .name = "after",
                        .type = VALUE_EXPECTATION,
                        .doc = "Name of another log expectation; only lines behind its first one count." },
        [LOG_SAVE] = { .name = "save",
                        .type = VALUE_BOOL,
                        .default_text = "no",
                        .doc = "`yes`: the named groups of the regexes, as they matched in the first such line, "
                               "become variables." },
};

static bool has_named_group(const Match *match) {
        for (size_t i = 1; match->regex && i <= regex_n_groups(match->regex); i++)
                if (regex_group_name(match->regex, i))
                        return true;
        FOREACH_ARRAY (child, match->children, match->n_children)
                if (has_named_group(child))
                        return true;
        return false;
}

static bool any_named_group(const Value *values) {
        for (size_t i = LOG_MESSAGE; i <= LOG_IDENTIFIER; i++)
                FOREACH_ARRAY (named, values[i].matches, values[i].n_matches)
                        if (has_named_group(&named->match))
                                return true;
        return false;
}

static void check_priority(const Value *priority, DiagnosticList *diagnostics) {
        size_t n_levels = 0;

        if (!priority->is_set || template_has_variables(priority->matches->match.source))
                return;
        for (char digit = '0'; digit <= '7'; digit++)
                n_levels += match_text(&priority->matches->match, &digit, 1, NULL);
        if (n_levels == 8)
                diagnostic_add(diagnostics, priority->mark, 0, "`priority` can never fail: every level is %s",
                                priority->matches->match.source);
        else if (n_levels == 0)
                diagnostic_add(diagnostics, priority->mark, 0, "`priority` can never hold: no level is %s",
                                priority->matches->match.source);
}

static void check_fields(const Value *fields, DiagnosticList *diagnostics) {
        FOREACH_ARRAY (named, fields->matches, fields->n_matches)
                if (strspn(named->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(named->name))
                        diagnostic_add(diagnostics, named->mark, 0,
                                        "journal fields have names like _UID or MESSAGE_ID, and this is \"%s\"",
                                        named->name);
}

static void check_line_count(const Value *count, DiagnosticList *diagnostics) {
        if (count->is_set && count->matches->match.operator== MATCH_REGEX)
                diagnostic_add(diagnostics, count->mark, 0, "`count` takes a number, and this is a regex");
        else if (count->is_set)
                check_count(&count->matches->match, count->mark, "count", diagnostics);
}

static void check_log(const KindSpec *kind, const Value *values, Mark mark, DiagnosticList *diagnostics) {
        bool has_filter = false;

        for (size_t i = LOG_MESSAGE; i <= LOG_IDENTIFIER; i++)
                has_filter |= values[i].is_set;
        if (!has_filter)
                diagnostic_add(diagnostics, mark, 0,
                                "`log` says nothing about the line; give message, json, fields, priority or "
                                "identifier");
        if (values[LOG_SAVE].is_true && !any_named_group(values))
                diagnostic_add(diagnostics, values[LOG_SAVE].mark, 0,
                                "`save` needs a regex with a named group: /took (?<msec>\\d+)ms/");
        check_priority(&values[LOG_PRIORITY], diagnostics);
        check_fields(&values[LOG_FIELDS], diagnostics);
        check_line_count(&values[LOG_COUNT], diagnostics);
}

static bool is_from_any(const Value *values) {
        return values[LOG_FROM].text && strcmp(values[LOG_FROM].text, "any") == 0;
}

const ExpectKind log_expectation = {
        .spec = {
                .name = "log",
                .doc = "The journal has a line that satisfies all that is said of it.",
                .example = "log: { json: { event: health, version: /^\\d+\\.\\d+\\.\\d+$/ } }",
                .keys = log_keys,
                .n_keys = N_LOG_KEYS,
                .shorthand = LOG_MESSAGE,
                .takes_unit = true,
                .is_unitless = is_from_any,
                .check = check_log,
        },
        .channels = CHANNEL_JOURNAL,
        .evaluate = evaluate_log,
        .describe = describe_log,
};
