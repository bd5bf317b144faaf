/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scenario/nearest.h"
#include "scenario/template.h"
#include "suites.h"

static const char *find(const char *name, void *userdata) {
        if (strcmp(name, "n") == 0)
                return "100";
        return strcmp(name, "open") == 0 ? "${n}" : NULL;
}

static const TemplateLookup lookup = { .find = find };

static const struct {
        const char *text, *partial, *full; /* full NULL: -ENOENT */
} rows[] = {
        { "", "", "" },
        { "plain $ {n} $n", "plain $ {n} $n", "plain $ {n} $n" },
        { "${n}", "100", "100" },
        { "a${n}b${n}", "a100b100", "a100b100" },
        { "${unknown}", "${unknown}", NULL },
        { "${n}${unknown}", "100${unknown}", NULL },
        { "$${n}", "$${n}", "${n}" },
        { "$${${n}}", "$${100}", "${100}" },
        { "$$${n}", "$$${n}", "$${n}" },
        { "${open}", "${n}", "${n}" }, /* what is put in is not looked at again */
        { "${}", "${}", NULL },
};

START_TEST(resolves) {
        CLEANUP_FREE char *partial = NULL, *full = NULL;
        int r;

        ck_assert_int_eq(template_resolve(rows[_i].text, &lookup, true, &partial, NULL), 0);
        ck_assert_str_eq(partial, rows[_i].partial);
        r = template_resolve(rows[_i].text, &lookup, false, &full, NULL);
        ck_assert_int_eq(r, rows[_i].full ? 0 : -ENOENT);
        if (rows[_i].full)
                ck_assert_str_eq(full, rows[_i].full);
}
END_TEST

START_TEST(names_what_is_unknown) {
        CLEANUP_ERROR Error error = ERROR_INIT;
        char *text = NULL;

        ck_assert_int_eq(template_resolve("a ${b} c", NULL, false, &text, &error), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "`b`"));
        error_done(&error);
        ck_assert_int_eq(template_resolve("a ${b", NULL, true, &text, &error), -EINVAL);
        ck_assert_ptr_nonnull(strstr(error_text(&error), "$${"));
}
END_TEST

START_TEST(sees_variables) {
        ck_assert(template_has_variables("a ${b}"));
        ck_assert(!template_has_variables("a $${b} $c {d}"));
}
END_TEST

static const char *nearest(const char *word) {
        static const char *const known[] = { "within", "since", "for", "start", "stop", "ActiveState", "unit" };
        Nearest found = NEAREST_INIT(word);

        FOREACH_ARRAY (name, known, ELEMENTS_OF(known))
                nearest_offer(&found, *name);
        return found.best ? found.best : "";
}

START_TEST(finds_the_nearest_word) {
        ck_assert_str_eq(nearest("wihtin"), "within"); /* two swapped letters are one edit */
        ck_assert_str_eq(nearest("withi"), "within");
        ck_assert_str_eq(nearest("activestate"), "ActiveState");
        ck_assert_str_eq(nearest("strat"), "start");
        ck_assert_str_eq(nearest("stp"), "stop");
        ck_assert_str_eq(nearest("xyz"), "");
        ck_assert_str_eq(nearest("f"), "");
        ck_assert_str_eq(nearest(""), "");
        ck_assert_str_eq(nearest("a very long word that nobody ever could have meant as one of them"), "");
}
END_TEST

Suite *template_suite(void) {
        Suite *suite = suite_create("template");
        TCase *tests = tcase_create("template");

        tcase_add_loop_test(tests, resolves, 0, ELEMENTS_OF(rows));
        tcase_add_test(tests, names_what_is_unknown);
        tcase_add_test(tests, sees_variables);
        tcase_add_test(tests, finds_the_nearest_word);
        suite_add_tcase(suite, tests);
        return suite;
}
