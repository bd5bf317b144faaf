/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scenario/match.h"
#include "suites.h"

static const char *find(const char *name, void *userdata) {
        if (strcmp(name, "n") == 0)
                return "5s";
        return strcmp(name, "regex") == 0 ? "/x/" : NULL;
}

static const TemplateLookup lookup = { .find = find };

static const struct {
        const char *match, *yes, *no; /* separated by | */
        const char *description;
} rows[] = {
        { "active", "active", "activ|inactive|", "equals \"active\"" },
        { "", "", " |x", "equals \"\"" },
        { "100", "100|100.0|1e2", "10|1000|100 |x", "equals \"100\"" },
        { "-1", "-1|-1.0", "1", "equals \"-1\"" },
        { "0.3", "0.3|0.30|3e-1", "0.31|0.3000001", "equals \"0.3\"" },
        { "64M", "64M|67108864", "64|64m", "equals \"64M\"" },
        { "5s", "5s|5000000", "5", "equals \"5s\"" },
        { "50%", "50%|50", "0.5", "equals \"50%\"" },
        { "infinity", "infinity", "18446744073709551615", "equals \"infinity\"" },
        { "18446744073709551615", "18446744073709551615", "1", "equals \"18446744073709551615\"" },
        { "/^a.c$/", "abc|axc", "ab|xabc", "matches /^a.c$/" },
        { "/var/lib", "/var/lib", "var/lib", "equals \"/var/lib\"" },
        { ">= 3", "3|4|3.0|1e9", "2|2.9|x|", "at least 3" },
        { ">=3", "3", "2", "at least 3" },
        { "> 3", "4|3.1", "3", "more than 3" },
        { "<= 64M", "67108864|0", "67108865|64M", "at most 64M" },
        { "< 5s", "4999999", "5000000|x", "less than 5s" },
        { "<= err", "3|0", "4|err", "at most err" },
        { "<none>", "<none>", "none", "equals \"<none>\"" },
        { "100ms..2s", "100000|2000000|1500000", "99999|2000001|x", "between 100ms and 2s" },
        { "0..2s", "0|2000000", "2000001", "between 0 and 2s" },
        { "1..1", "1", "2", "between 1 and 1" },
        { "a..b", "a..b", "a", "equals \"a..b\"" },
        { "${n}", "5s|5000000", "5|${n}", "equals \"5s\"" },
        { ">= ${n}", "5000000", "4999999", "at least 5s" },
        { "${regex}", "/x/", "x", "equals \"/x/\"" }, /* a capture is never an operator */
        { "${none}", "", "|${none}|x", "equals \"${none}\"" },
        { "$${n}", "${n}", "5s|$${n}", "equals \"${n}\"" },
        { "/^$${n}$/", "", "${n}", "matches /^$${n}$/" },
};

static void assert_texts(const Match *match, const char *texts, bool is_expected, const char *source) {
        CLEANUP_FREE char *copy = strdup(texts);
        char *rest = copy, *text;

        while ((text = strsep(&rest, "|")))
                ck_assert_msg(match_text(match, text, strlen(text), &lookup) == is_expected, "%s and \"%s\"", source,
                                text);
}

START_TEST(compares) {
        CLEANUP(match_done) Match match = { 0 };
        CLEANUP_FREE char *description = NULL;

        ck_assert_int_eq(match_parse(rows[_i].match, &match, NULL, NULL), 0);
        if (*rows[_i].yes || *rows[_i].match == '\0')
                assert_texts(&match, rows[_i].yes, true, rows[_i].match);
        assert_texts(&match, rows[_i].no, false, rows[_i].match);
        ck_assert_str_eq(match.source, rows[_i].match);
        description = match_describe(&match, &lookup);
        ck_assert_str_eq(description, rows[_i].description);
}
END_TEST

static const struct {
        const char *match;
        size_t offset;
        const char *part;
} wrong_rows[] = {
        { "/a(/", 3, "parenthesis" },
        { "/[/", 2, "terminating ]" },
        { ">= soon", 0, "soon" },
        { "5..1", 0, "holds nothing" },
        { "100ms..64M", 0, "different kinds" },
        { "!= x", 0, "not: x" },
        { "=> 3", 0, ">=" },
        { "/${n}/", 0, "known only while" },
};

START_TEST(refuses) {
        CLEANUP(match_done) Match match = { 0 };
        CLEANUP_ERROR Error error = ERROR_INIT;
        size_t offset = 99;

        ck_assert_int_eq(match_parse(wrong_rows[_i].match, &match, &offset, &error), -EINVAL);
        ck_assert_msg(strstr(error_text(&error), wrong_rows[_i].part), "%s", error_text(&error));
        ck_assert_uint_eq(offset, wrong_rows[_i].offset);
}
END_TEST

static bool is_vacuous(const char *text) {
        CLEANUP(match_done) Match match = { 0 };

        ck_assert_int_eq(match_parse(text, &match, NULL, NULL), 0);
        return match_is_vacuous(&match);
}

START_TEST(knows_what_can_never_fail) {
        ck_assert(is_vacuous(">= 0"));
        ck_assert(is_vacuous(">=0.0"));
        ck_assert(is_vacuous("> -1"));
        ck_assert(is_vacuous(">= 0s"));
        ck_assert(is_vacuous("//"));
        ck_assert(is_vacuous("/x*/"));
        ck_assert(is_vacuous("/^|x/"));
        ck_assert(!is_vacuous("/x+/"));
        ck_assert(is_vacuous("/^.*$/"));
        ck_assert(!is_vacuous("/^$/")); /* matches the empty text, but no other */
        ck_assert(!is_vacuous("/^[a-z]*$/"));
        ck_assert(!is_vacuous("> 0"));
        ck_assert(!is_vacuous("<= 0"));
        ck_assert(!is_vacuous("0"));
        ck_assert(!is_vacuous(">= ${n}"));
}
END_TEST

START_TEST(takes_text_without_end) {
        CLEANUP(match_done) Match match = { 0 };

        ck_assert_int_eq(match_parse("12", &match, NULL, NULL), 0);
        ck_assert(match_text(&match, "123", 2, NULL));
        ck_assert(!match_text(&match, "12\0", 3, NULL));
        ck_assert(match_text(&match, "12", 2, NULL));
}
END_TEST

Suite *match_suite(void) {
        Suite *suite = suite_create("match");
        TCase *tests = tcase_create("match");

        tcase_add_loop_test(tests, compares, 0, ELEMENTS_OF(rows));
        tcase_add_loop_test(tests, refuses, 0, ELEMENTS_OF(wrong_rows));
        tcase_add_test(tests, knows_what_can_never_fail);
        tcase_add_test(tests, takes_text_without_end);
        suite_add_tcase(suite, tests);
        return suite;
}
