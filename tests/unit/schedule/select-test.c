/* SPDX-License-Identifier: MIT */
#include "schedule/select.h"
#include "suites.h"

static const struct {
        const char *filters[3], *tags[3];
        bool is_taken;
} rows[] = {
        { {}, {}, true },
        { { "crash" }, {}, true },
        { { "SIGKILL" }, {}, true },
        { { "[signal=SIGKILL]" }, {}, true }, /* a name is not taken for a glob */
        { { "*crash.yaml*" }, {}, true },
        { { "crash.yaml*" }, {}, false }, /* a glob is about the whole name */
        { { "start", "crash" }, {}, true },
        { { "start" }, {}, false },
        { {}, { "restart" }, true },
        { {}, { "slow", "restart" }, true },
        { {}, { "slow" }, false },
        { {}, { "!slow" }, true },
        { {}, { "!restart" }, false },
        { {}, { "restart", "!crash" }, false },
        { { "crash" }, { "slow" }, false },
};

static size_t count(const char *const *texts) {
        size_t n = 0;

        while (n < 3 && texts[n])
                n++;
        return n;
}

START_TEST(takes) {
        char *tags[] = { (char *) "crash", (char *) "restart" };
        Scenario scenario = { .name = (char *) "scenarios/crash.yaml [signal=SIGKILL]", .tags = tags, .n_tags = 2 };
        Selection selection = {
                .filters = rows[_i].filters,
                .n_filters = count(rows[_i].filters),
                .tags = rows[_i].tags,
                .n_tags = count(rows[_i].tags),
        };

        ck_assert_int_eq(selection_takes(&selection, &scenario), rows[_i].is_taken);
}
END_TEST

Suite *select_suite(void) {
        Suite *suite = suite_create("select");
        TCase *cases = tcase_create("select");

        tcase_add_loop_test(cases, takes, 0, ELEMENTS_OF(rows));
        suite_add_tcase(suite, cases);
        return suite;
}
