/* SPDX-License-Identifier: MIT */
#include "judge/deaths-private.h"

#include <signal.h>
#include <string.h>

#include "base/quantity.h"

static void deaths_done(Deaths *deaths) {
        FOREACH_ARRAY (unit, deaths->units, deaths->n_units) {
                main_exits_done(&unit->exits);
                main_starts_done(&unit->starts);
        }
        free(deaths->units);
        free(deaths->n_uses);
}

bool is_stop_action(const Entry *action) {
        static const char *const verbs[] = { "stop", "restart", "try-restart", "reload-or-restart" };

        FOREACH_ARRAY (verb, verbs, ELEMENTS_OF(verbs))
                if (entry_has(action, "verb", *verb))
                        return !entry_get(action, "error");
        return false;
}

bool signal_ends(int signal_number) {
        static const int harmless[] = { 0, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU };

        FOREACH_ARRAY (number, harmless, ELEMENTS_OF(harmless))
                if (*number == signal_number)
                        return false;
        return true;
}

static bool deaths_know(const Deaths *deaths, const char *name) {
        FOREACH_ARRAY (unit, deaths->units, deaths->n_units)
                if (strcmp(unit->name, name) == 0)
                        return true;
        return false;
}

static int deaths_add_unit(Deaths *deaths, const char *name) {
        DeathUnit *units;
        DeathUnit *unit;
        int r;

        if (deaths_know(deaths, name))
                return 0;
        units = reallocarray(deaths->units, deaths->n_units + 1, sizeof(DeathUnit));
        if (!units)
                return -ENOMEM;
        deaths->units = units;
        unit = &units[deaths->n_units++];
        *unit = (DeathUnit){ .name = name };
        r = main_exits_collect(deaths->facts->timeline, name, SIZE_MAX, &unit->exits);
        return r < 0 ? r : main_starts_collect(deaths->facts->timeline, name, SIZE_MAX, &unit->starts);
}

/* The scenario's units, then what else was watched. */
static int deaths_find_units(Deaths *deaths) {
        const Case *facts = deaths->facts;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < facts->scenario->n_units; i++)
                r = deaths_add_unit(deaths, facts->scenario->units[i].name);
        for (const Entry *snapshot = timeline_next(facts->timeline, 0, ENTRY_PROPERTIES, NULL); r >= 0 && snapshot;
                        snapshot = timeline_next(facts->timeline, snapshot->index + 1, ENTRY_PROPERTIES, NULL))
                if (snapshot->unit)
                        r = deaths_add_unit(deaths, snapshot->unit);
        return r;
}

/* What says that a channel was not whole; NULL: it was. */
static const Entry *find_trouble(const Timeline *timeline, const char *channel) {
        for (const Entry *entry = timeline_next(timeline, 0, ENTRY_CHANNEL, NULL); entry;
                        entry = timeline_next(timeline, entry->index + 1, ENTRY_CHANNEL, NULL))
                if (entry_has(entry, "channel", channel) && !entry_has(entry, "health", "ok"))
                        return entry;
        return NULL;
}

int deaths_report(Deaths *deaths, const size_t *evidence, size_t n_evidence, uint64_t at_usec, int signal_number,
                const char *sentence) {
        CLEANUP(verdict_done) Verdict verdict = { .id = strdup("deaths"), .at_usec = at_usec };
        int r;

        if (!verdict.id)
                return -ENOMEM;
        if (!deaths->is_journal_complete)
                r = verdict_decide(&verdict, REASON_CHANNEL_LOST,
                                "%s; what explains it may be among the lines of the journal that were lost",
                                sentence);
        else if (signal_number == SIGKILL && find_trouble(deaths->facts->timeline, "kmsg"))
                r = verdict_decide(&verdict, REASON_CHANNEL_LOST,
                                "%s; whether it was the kernel's OOM killer is unknown: its log could not be "
                                "followed",
                                sentence);
        else
                r = verdict_decide(&verdict, REASON_UNEXPLAINED_DEATH, "%s, and nothing explains it", sentence);
        for (size_t i = 0; r >= 0 && i < n_evidence; i++)
                r = verdict_rest_on(&verdict, evidence[i]);
        return r < 0 ? r : judgement_take(deaths->judgement, &verdict);
}

static int report_none(Deaths *deaths) {
        CLEANUP(verdict_done) Verdict verdict = { .id = strdup("deaths"), .margin_usec = USEC_INFINITY };
        const Entry *trouble = find_trouble(deaths->facts->timeline, "acct");
        CLEANUP_TEXT Text why = TEXT_INIT;
        int r;

        if (!verdict.id)
                return -ENOMEM;
        if (!deaths->window.is_closed)
                r = verdict_decide(&verdict, REASON_NOT_RECORDED,
                                "no unexplained death was seen, but the recording was not closed");
        else if (!window_is_complete(deaths->facts, &deaths->window, CHANNEL_BUS, NULL, &why))
                r = verdict_decide(&verdict, REASON_CHANNEL_LOST, "no unexplained death was seen, but %s",
                                text_get(&why));
        else if (trouble)
                r = verdict_decide(&verdict, REASON_HELD,
                                "no unexplained deaths of main processes; deaths of children were not observed: "
                                "process "
                                "accounting is %s (%s)",
                                entry_get(trouble, "health") ?: "lost",
                                entry_get(trouble, "text") ?: "no reason given");
        else
                r = verdict_decide(&verdict, REASON_HELD, "no unexplained deaths");
        if (r >= 0 && trouble)
                r = verdict_rest_on(&verdict, trouble->index);
        return r < 0 ? r : judgement_take(deaths->judgement, &verdict);
}

int judge_deaths(const Case *facts, Judgement *judgement, Error *reterr) {
        CLEANUP(deaths_done) Deaths deaths = { .facts = facts, .judgement = judgement };
        size_t n_before = judgement->n_verdicts;
        int r;

        window_of_scenario(facts, &deaths.window);
        deaths.is_journal_complete = !window_has_loss(facts, &deaths.window, CHANNEL_JOURNAL, NULL, NULL);
        deaths.n_uses = calloc(timeline_length(facts->timeline) + 1, sizeof(unsigned));
        if (!deaths.n_uses)
                return -ENOMEM;
        r = deaths_find_units(&deaths);
        if (r >= 0)
                r = judge_main_deaths(&deaths);
        if (r >= 0)
                r = judge_other_deaths(&deaths);
        if (r >= 0 && judgement->n_verdicts == n_before)
                r = report_none(&deaths);
        return r;
}
