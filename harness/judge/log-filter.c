/* SPDX-License-Identifier: MIT */
#include "judge/log-filter.h"

#include <string.h>

#include "judge/examine.h"
#include "scenario/array.h"

/* A near miss with the right message tells more than one with the right priority. */
#define WEIGHT_TEXT       4
#define WEIGHT_FIELD      3
#define WEIGHT_IDENTIFIER 2
#define WEIGHT_PRIORITY   1

void log_filter_done(LogFilter *filter) {
        FOREACH_ARRAY (part, filter->parts, filter->n_parts)
                free(part->literal);
        free(filter->parts);
        free(filter->groups);
        *filter = (LogFilter){ 0 };
}

static bool match_has_variables(const Match *match) {
        if (match->operator!= MATCH_REGEX && match->n_children == 0 && template_has_variables(match->source))
                return true;
        FOREACH_ARRAY (child, match->children, match->n_children)
                if (match_has_variables(child))
                        return true;
        return false;
}

/* Can a JSON string of this text be written without an escape, and is it then the text itself? */
static bool is_plain(const char *text) {
        for (; *text; text++)
                if ((unsigned char) *text < 0x20 || (unsigned char) *text > 0x7e || strchr("\"\\", *text))
                        return false;
        return true;
}

static int part_init(LogPart *part) {
        const Match *match = part->match;

        part->is_late = match_has_variables(match);
        if (part->is_priority)
                for (unsigned level = 0; level <= 7; level++) {
                        char digit = (char) ('0' + level);

                        if (match_text(match, &digit, 1, NULL))
                                part->priorities |= 1U << level;
                }
        if (part->is_late || part->is_priority || match->operator!= MATCH_EQUAL || match->has_number)
                return 0;
        if (template_resolve(match->source, NULL, false, &part->literal, NULL) < 0)
                return -ENOMEM;
        part->n_literal = strlen(part->literal);
        part->has_plain_needle = part->member && part->n_literal > 0 && is_plain(part->literal);
        return 0;
}

static int add_part(LogFilter *filter, const Match *match, const char *field, const char *member, unsigned weight) {
        LogPart *part = array_append(&filter->parts, &filter->n_parts, sizeof(LogPart));

        if (!part)
                return -ENOMEM;
        part->match = match;
        part->field = field;
        part->member = member;
        part->weight = weight;
        part->is_priority = weight == WEIGHT_PRIORITY;
        filter->total_weight += weight;
        filter->has_json |= member != NULL;
        return part_init(part);
}

static int add_parts(LogFilter *filter) {
        static const struct {
                const char *key, *field;
                bool is_member; /* the match's name is a member of the field, else it is the field */
                unsigned weight;
        } keys[] = {
                { "message", "MESSAGE", false, WEIGHT_TEXT },
                { "json", "MESSAGE", true, WEIGHT_TEXT },
                { "priority", "PRIORITY", false, WEIGHT_PRIORITY },
                { "identifier", "SYSLOG_IDENTIFIER", false, WEIGHT_IDENTIFIER },
                { "fields", NULL, false, WEIGHT_FIELD },
        };
        int r;

        for (size_t i = 0; i < ELEMENTS_OF(keys); i++) {
                const Value *value = expectation_value(filter->expectation, keys[i].key);

                FOREACH_ARRAY (named, value->matches, value->n_matches) {
                        const char *member = keys[i].is_member ? named->name : NULL;

                        r = add_part(filter, &named->match, keys[i].field ?: named->name, member, keys[i].weight);
                        if (r < 0)
                                return r;
                        if (filter->parts[filter->n_parts - 1].is_late)
                                filter->n_late++;
                }
        }
        return 0;
}

static int add_groups_of(LogFilter *filter, size_t part, const Match *match) {
        int r = 0;

        for (size_t i = 1; match->regex && i <= regex_n_groups(match->regex); i++) {
                LogGroup *group;

                if (!regex_group_name(match->regex, i))
                        continue;
                group = array_append(&filter->groups, &filter->n_groups, sizeof(LogGroup));
                if (!group)
                        return -ENOMEM;
                *group = (LogGroup){ regex_group_name(match->regex, i), part, match, i };
        }
        for (size_t i = 0; r >= 0 && i < match->n_children; i++)
                r = add_groups_of(filter, part, &match->children[i]);
        return r;
}

int log_filter_init(LogFilter *filter, const Expectation *expectation) {
        const char *origin = expectation_value(expectation, "from")->text;
        int r;

        *filter = (LogFilter){ .expectation = expectation };
        filter->origin = strcmp(origin, "unit") == 0      ? LOG_FROM_UNIT
                         : strcmp(origin, "manager") == 0 ? LOG_FROM_MANAGER
                                                          : LOG_FROM_ANY;
        r = add_parts(filter);
        for (size_t i = 0; r >= 0 && expectation_value(expectation, "save")->is_true && i < filter->n_parts; i++)
                r = add_groups_of(filter, i, filter->parts[i].match);
        if (r < 0)
                log_filter_done(filter);
        return r;
}

/* What stands before the first ${ of a text with captures has to stand there in any case. */
static bool may_match_late(const LogPart *part, const char *text, size_t n_bytes) {
        const char *source = part->match->source;
        const char *dollar = part->match->operator== MATCH_EQUAL ? strchr(source, '$') : NULL;
        size_t n = dollar ? (size_t) (dollar - source) : 0;

        return n <= n_bytes && memcmp(text, source, n) == 0;
}

bool log_part_matches(const LogPart *part, const char *text, size_t n_bytes) {
        if (part->is_late)
                return may_match_late(part, text, n_bytes);
        if (part->is_priority)
                return n_bytes == 1 && text[0] >= '0' && text[0] <= '7' && (part->priorities >> (text[0] - '0')) & 1;
        if (part->literal)
                return n_bytes == part->n_literal && memcmp(text, part->literal, n_bytes) == 0;
        return match_text(part->match, text, n_bytes, NULL);
}

bool log_part_may_match(const LogPart *part, const char *json, size_t n_bytes) {
        if (!part->has_plain_needle || memmem(json, n_bytes, part->literal, part->n_literal))
                return true;
        /* "\u0061" is an "a" too. */
        return memchr(json, '\\', n_bytes) != NULL;
}

bool log_filter_overran(const LogFilter *filter) {
        FOREACH_ARRAY (part, filter->parts, filter->n_parts)
                if (match_overran(part->match))
                        return true;
        return false;
}
