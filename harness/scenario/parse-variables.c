/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "scenario/array.h"
#include "scenario/parser.h"

int setting_append(Setting **settings, size_t *n_settings, const char *name, const char *value, Mark mark) {
        Setting *setting = array_append(settings, n_settings, sizeof(*setting));

        if (!setting)
                return -ENOMEM;
        setting->mark = mark;
        setting->name = strdup(name);
        setting->value = strdup(value);
        return setting->name && setting->value ? 0 : -ENOMEM;
}

void settings_free(Setting *settings, size_t n_settings) {
        FOREACH_ARRAY (setting, settings, n_settings) {
                free(setting->name);
                free(setting->value);
        }
        free(settings);
}

void matrix_done(Matrix *matrix) {
        FOREACH_ARRAY (axis, matrix->axes, matrix->n_axes)
                array_free_strings(axis->values, axis->n_values);
        free(matrix->axes);
        *matrix = (Matrix){ 0 };
}

static const Setting *find_define(const Parser *parser, const char *name) {
        FOREACH_ARRAY (define, parser->options->defines, parser->options->n_defines)
                if (strcmp(define->name, name) == 0)
                        return define;
        return NULL;
}

static void check_variable_name(Parser *parser, const Node *key) {
        if (!name_is_variable(key->text))
                parser_diagnose(parser, key, "`%s` cannot name a variable: letters, digits and _, no digit first",
                                key->text);
}

/* `--define signal=SIGKILL` plays that one point of the matrix. */
static int axis_select(Parser *parser, const Node *key, MatrixAxis *axis) {
        const Setting *define = find_define(parser, axis->name);
        int r;

        if (!define)
                return 0;
        for (size_t i = 0; i < axis->n_values; i++)
                if (strcmp(axis->values[i], define->value) == 0) {
                        char **values = NULL;
                        size_t n_values = 0;

                        r = array_append_string(&values, &n_values, define->value);
                        if (r < 0)
                                return r;
                        array_free_strings(axis->values, axis->n_values);
                        axis->values = values;
                        axis->n_values = n_values;
                        return 0;
                }
        parser_diagnose(parser, key, "--define %s=%s: the matrix has no such value", axis->name, define->value);
        return 0;
}

static void check_repeated_values(Parser *parser, const Node *node, const MatrixAxis *axis) {
        for (size_t i = 1; i < axis->n_values; i++)
                for (size_t j = 0; j < i; j++)
                        if (strcmp(axis->values[i], axis->values[j]) == 0) {
                                parser_diagnose(parser, node, "`%s` holds \"%s\" twice", axis->name, axis->values[i]);
                                return;
                        }
}

static int axis_parse(Parser *parser, const Node *key, const Node *node, MatrixAxis *axis) {
        CLEANUP_FREE char *what = string_printf("`%s` of the matrix", key->text);
        int r;

        if (!what)
                return -ENOMEM;
        axis->name = key->text;
        axis->mark = key->mark;
        check_variable_name(parser, key);
        if (node->type == NODE_LIST && node->n_items == 0) {
                parser_diagnose(parser, node, "the matrix expands to no scenario: `%s` has no values", key->text);
                return 0;
        }
        if (node->n_items > MATRIX_POINTS_MAX) {
                parser_diagnose(parser, node, "`%s` has %zu values; a matrix makes at most %d scenarios", key->text,
                                node->n_items, MATRIX_POINTS_MAX);
                return 0;
        }
        r = parser_strings(parser, node, what, false, &axis->values, &axis->n_values);
        if (r < 0)
                return r;
        check_repeated_values(parser, node, axis);
        return axis_select(parser, key, axis);
}

/* False where the matrix grows too large; it counts as one point then. */
static bool check_matrix_extent(Parser *parser, const Node *key, Matrix *matrix) {
        if (matrix->n_points <= MATRIX_POINTS_MAX &&
                        (matrix->n_points == 1 || matrix->n_points * parser->tree->n_walked <= MATRIX_WALK_MAX))
                return true;
        parser_diagnose(parser, key, "the matrix makes more than %d scenarios, or too many for so long a document",
                        MATRIX_POINTS_MAX);
        matrix->n_points = 1;
        return false;
}

int matrix_parse(Parser *parser, const Node *node, Matrix *ret_matrix) {
        int r;

        *ret_matrix = (Matrix){ .n_points = 1 };
        if (!node)
                return 0;
        if (!parser_expect(parser, node, NODE_MAP, "`matrix`"))
                return 0;
        if (node->n_items == 0)
                parser_diagnose(parser, node, "the matrix expands to no scenario: it has no keys");
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                MatrixAxis *axis;

                axis = array_append(&ret_matrix->axes, &ret_matrix->n_axes, sizeof(*axis));
                if (!axis)
                        return -ENOMEM;
                r = axis_parse(parser, key, node_item(parser->tree, node, i + 1), axis);
                if (r < 0)
                        return r;
                /* A wrong axis counts as one value, so that the rest of the file is looked at. */
                if (axis->n_values > 1)
                        ret_matrix->n_points *= axis->n_values;
                if (!check_matrix_extent(parser, key, ret_matrix))
                        return 0;
        }
        return 0;
}

/* The value of axis @axis at @point; the last axis changes fastest. "" where it has none. */
static const char *matrix_value(const Matrix *matrix, size_t point, size_t axis) {
        for (size_t i = matrix->n_axes; i > axis + 1; i--)
                if (matrix->axes[i - 1].n_values > 1)
                        point /= matrix->axes[i - 1].n_values;
        if (matrix->axes[axis].n_values == 0)
                return "";
        return matrix->axes[axis].values[point % matrix->axes[axis].n_values];
}

char *matrix_point_name(const Matrix *matrix, size_t point) {
        CLEANUP_TEXT Text name = TEXT_INIT;

        for (size_t i = 0; i < matrix->n_axes; i++)
                text_printf(&name, "%s%s=%s", i > 0 ? "," : "[", matrix->axes[i].name,
                                matrix_value(matrix, point, i));
        if (matrix->n_axes > 0)
                text_append(&name, "]");
        return text_take(&name);
}

static bool matrix_has(const Matrix *matrix, const char *name) {
        FOREACH_ARRAY (axis, matrix->axes, matrix->n_axes)
                if (strcmp(axis->name, name) == 0)
                        return true;
        return false;
}

/* The parser's texts are resolved once more at run time, the scenario's are for people and the record. */
static int add_variable(Parser *parser, const char *name, const char *template, const char *value, Mark mark) {
        int r = setting_append(&parser->variables, &parser->n_variables, name, template, mark);

        if (r < 0)
                return r;
        return setting_append(&parser->scenario->variables, &parser->scenario->n_variables, name, value, mark);
}

/* A `${` that comes from outside the file is no variable of the file. */
static char *escape_template(const char *value) {
        CLEANUP_TEXT Text text = TEXT_INIT;

        for (const char *found; (found = strstr(value, "${")); value = found + 2) {
                text_append_bytes(&text, value, (size_t) (found - value));
                text_append(&text, "$${");
        }
        text_append(&text, value);
        return text_take(&text);
}

static int add_outside_variable(Parser *parser, const char *name, const char *value, Mark mark) {
        CLEANUP_FREE char *template = escape_template(value);

        return template ? add_variable(parser, name, template, value, mark) : -ENOMEM;
}

static int add_defaults(Parser *parser, const Node *node, const Matrix *matrix) {
        if (!parser_expect(parser, node, NODE_MAP, "`variables`"))
                return 0;
        for (size_t i = 0; i + 1 < node->n_items; i += 2) {
                const Node *key = node_item(parser->tree, node, i);
                CLEANUP_FREE char *what = NULL, *value = NULL;
                int r;

                check_variable_name(parser, key);
                if (matrix_has(matrix, key->text)) {
                        parser_diagnose(parser, key, "`%s` is in the matrix, too; one of the two is never used",
                                        key->text);
                        continue;
                }
                if (find_define(parser, key->text))
                        continue;
                what = string_printf("`%s`", key->text);
                if (!what)
                        return -ENOMEM;
                r = parser_text(parser, node_item(parser->tree, node, i + 1), what, false, &value);
                if (r >= 0 && value)
                        r = add_outside_variable(parser, key->text, value, key->mark);
                else if (r >= 0)
                        r = array_append_string(&parser->unreadable, &parser->n_unreadable, key->text);
                if (r < 0)
                        return r;
        }
        return 0;
}

int variables_parse(Parser *parser, const Node *node, const Matrix *matrix, size_t point) {
        int r;

        FOREACH_ARRAY (define, parser->options->defines, parser->options->n_defines) {
                r = add_outside_variable(parser, define->name, define->value, define->mark);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < matrix->n_axes; i++) {
                const MatrixAxis *axis = &matrix->axes[i];

                if (find_define(parser, axis->name))
                        continue;
                if (axis->n_values > 0)
                        r = add_outside_variable(parser, axis->name, matrix_value(matrix, point, i), axis->mark);
                else
                        r = array_append_string(&parser->unreadable, &parser->n_unreadable, axis->name);
                if (r < 0)
                        return r;
        }
        return node ? add_defaults(parser, node, matrix) : 0;
}
