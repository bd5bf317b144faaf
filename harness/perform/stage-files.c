/* SPDX-License-Identifier: MIT */
#include "perform/stage-files.h"

#include <string.h>

#include "base/text.h"
#include "perform/step.h"
#include "scenario/unit-property.h"

#define DROP_IN_NAME "zz-agenttest.conf"

void stage_files_done(StageFiles *files) {
        FOREACH_ARRAY (text, files->texts, files->n_texts)
                free(*text);
        free(files->texts);
        free(files->files);
        free(files->unit_names);
        free(files->signalled_units);
        *files = STAGE_FILES_INIT;
}

static StageFile *add_file(StageFiles *files) {
        StageFile *grown = reallocarray(files->files, files->n_files + 1, sizeof(StageFile));

        if (!grown)
                return NULL;
        files->files = grown;
        grown[files->n_files] = (StageFile){ 0 };
        return &grown[files->n_files++];
}

/* Takes @text over; NULL where that, or an earlier allocation of it, failed. */
static const char *keep_text(StageFiles *files, char *text) {
        char **grown = text ? reallocarray(files->texts, files->n_texts + 1, sizeof(char *)) : NULL;

        if (!grown) {
                free(text);
                return NULL;
        }
        files->texts = grown;
        grown[files->n_texts++] = text;
        return text;
}

static int add_text_file(StageFiles *files, char *path, char *content) {
        const char *kept_path = keep_text(files, path);
        const char *kept_content = keep_text(files, content);
        StageFile *file = kept_path && kept_content ? add_file(files) : NULL;

        if (!file)
                return -ENOMEM;
        file->path = kept_path;
        file->content = kept_content;
        file->n_content_bytes = strlen(kept_content);
        file->is_settings = true;
        return 0;
}

static int add_unit_file(StageFiles *files, const char *folder, const ScenarioUnit *unit) {
        CLEANUP_FREE char *path = NULL;
        StageFile *file;

        if (!unit->source_path)
                return 0;
        if (asprintf(&path, "%s/%s", folder, unit->name) < 0)
                return -ENOMEM;
        file = add_file(files);
        if (!file)
                return -ENOMEM;
        file->source_path = unit->source_path;
        file->mode = 0644;
        file->path = keep_text(files, TAKE_PTR(path));
        return file->path ? 0 : -ENOMEM;
}

/* Source: systemd.syntax(7), "Quoting", and systemd.unit(5), "Specifiers": in double quotes, C escapes, % doubled. */
static void write_environment(Text *text, const Setting *setting) {
        text_printf(text, "Environment=\"%s=", setting->name);
        for (const char *c = setting->value; *c; c++)
                switch (*c) {
                case '"':
                case '\\':
                        text_printf(text, "\\%c", *c);
                        break;
                case '%':
                        text_append(text, "%%");
                        break;
                case '\n':
                        text_append(text, "\\n");
                        break;
                default:
                        text_append_bytes(text, c, 1);
                }
        text_append(text, "\"\n");
}

static void write_properties(Text *text, const ScenarioUnit *unit) {
        FOREACH_ARRAY (property, unit->properties, unit->n_properties)
                text_printf(text, "[%s]\n%s=%s\n", unit_property_section(unit->name, property->name), property->name,
                                property->value);
}

static int add_drop_in(StageFiles *files, const char *folder, const Scenario *scenario, const ScenarioUnit *unit) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        char *path;

        write_properties(&text, unit);
        if (string_ends_with(unit->name, ".service") && scenario->n_environment > 0) {
                text_append(&text, "[Service]\n");
                FOREACH_ARRAY (setting, scenario->environment, scenario->n_environment)
                        write_environment(&text, setting);
        }
        if (text.n_bytes == 0 && !text.is_broken)
                return 0;
        /* A unit of properties alone has no file for a drop-in to drop into: they are its file. */
        if (!unit->source_path && !unit->is_installed) {
                if (asprintf(&path, "%s/%s", folder, unit->name) < 0)
                        return -ENOMEM;
        } else if (asprintf(&path, "%s/%s.d/" DROP_IN_NAME, folder, unit->name) < 0)
                return -ENOMEM;
        return add_text_file(files, path, text_take(&text));
}

static int add_scenario_file(StageFiles *files, const ScenarioFile *source) {
        StageFile *file = add_file(files);

        if (!file)
                return -ENOMEM;
        *file = (StageFile){
                .path = source->path,
                .source_path = source->source_path,
                .content = source->content,
                .n_content_bytes = source->content ? strlen(source->content) : 0,
                .owner = source->owner,
                .group = source->group,
                .mode = source->mode,
                .is_directory = source->is_directory,
        };
        return 0;
}

int stage_files_make(const Scenario *scenario, const char *unit_folder, StageFiles *ret_files) {
        CLEANUP(stage_files_done) StageFiles files = STAGE_FILES_INIT;
        int r = 0;

        files.unit_names = calloc(scenario->n_units + 1, sizeof(char *));
        files.signalled_units = calloc(scenario->n_units + 1, sizeof(char *));
        if (!files.unit_names || !files.signalled_units)
                return -ENOMEM;
        FOREACH_ARRAY (unit, scenario->units, scenario->n_units) {
                files.unit_names[files.n_units++] = unit->name;
                if (steps_signal(scenario, unit->name))
                        files.signalled_units[files.n_signalled_units++] = unit->name;
                r = add_unit_file(&files, unit_folder, unit);
                if (r >= 0)
                        r = add_drop_in(&files, unit_folder, scenario, unit);
                if (r < 0)
                        return r;
        }
        FOREACH_ARRAY (file, scenario->files, scenario->n_files) {
                r = add_scenario_file(&files, file);
                if (r < 0)
                        return r;
        }
        *ret_files = files;
        files = STAGE_FILES_INIT;
        return 0;
}
