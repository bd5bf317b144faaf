/* SPDX-License-Identifier: MIT */
#include "observe/unit-properties.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

static const char *const exit_facts[] = {
        "ActiveState",
        "SubState",
        "Result",
        "MainPID",
        "ExecMainPID",
        "ExecMainCode",
        "ExecMainStatus",
        "ExecMainStartTimestampMonotonic",
        "ExecMainExitTimestampMonotonic",
        "InvocationID",
        "NRestarts",
};

void unit_properties_done(UnitProperties *properties) {
        FOREACH_ARRAY (property, properties->items, properties->n_items) {
                free(property->name);
                free(property->text);
        }
        free(properties->items);
        *properties = (UnitProperties){ 0 };
}

const char *unit_properties_get(const UnitProperties *properties, const char *name) {
        FOREACH_ARRAY (property, properties->items, properties->n_items)
                if (strcmp(property->name, name) == 0)
                        return property->text;
        return NULL;
}

static int properties_add(UnitProperties *properties, const char *name, Property **ret_property) {
        Property *property;
        char *copy;

        if (properties->n_items == properties->n_allocated) {
                size_t n = properties->n_allocated ? 2 * properties->n_allocated : 512;
                Property *items = reallocarray(properties->items, n, sizeof(*items));

                if (!items)
                        return -ENOMEM;
                properties->items = items;
                properties->n_allocated = n;
        }
        copy = strdup(name);
        if (!copy)
                return -ENOMEM;

        property = &properties->items[properties->n_items++];
        *property = (Property){ .name = copy };
        for (size_t i = 0; i < ELEMENTS_OF(exit_facts); i++)
                if (strcmp(name, exit_facts[i]) == 0)
                        property->is_exit_fact = true;
        *ret_property = property;
        return 0;
}

/* The manager lists properties in the same order each time, so the search goes on from where the last one ended. */
static int properties_find(UnitProperties *properties, const char *name, size_t *hint, Property **ret_property) {
        for (size_t i = 0; i < properties->n_items; i++) {
                size_t place = (*hint + i) % properties->n_items;

                if (strcmp(properties->items[place].name, name) == 0) {
                        *hint = place + 1;
                        *ret_property = &properties->items[place];
                        return 0;
                }
        }
        return properties_add(properties, name, ret_property);
}

/* Source: bus_print_property() of systemctl. A gauge that is not there must not compare as a very large number. */
static const char *largest_number_text(const char *name) {
        if (strncmp(name, "IP", 2) == 0 || strncmp(name, "IO", 2) == 0)
                return string_ends_with(name, "Weight") ? "[not set]" : "[no data]";
        if (string_ends_with(name, "NSec") || string_ends_with(name, "Current") || string_ends_with(name, "Weight") ||
                        string_ends_with(name, "Shares") || string_ends_with(name, "MemoryAvailable"))
                return "[not set]";
        return "infinity";
}

static void basic_text(Text *text, const char *name, char type, const void *value) {
        const union {
                const char *string;
                uint8_t byte;
                int boolean;
                int16_t int16;
                uint16_t uint16;
                int32_t int32;
                uint32_t uint32;
                int64_t int64;
                uint64_t uint64;
                double real;
        } *v = value;

        switch (type) {
        case SD_BUS_TYPE_STRING:
        case SD_BUS_TYPE_OBJECT_PATH:
        case SD_BUS_TYPE_SIGNATURE:
                text_append(text, v->string);
                break;
        case SD_BUS_TYPE_BOOLEAN:
                text_append(text, v->boolean ? "yes" : "no");
                break;
        case SD_BUS_TYPE_BYTE:
                text_printf(text, "%u", v->byte);
                break;
        case SD_BUS_TYPE_INT16:
                text_printf(text, "%d", v->int16);
                break;
        case SD_BUS_TYPE_UINT16:
                text_printf(text, "%u", v->uint16);
                break;
        case SD_BUS_TYPE_INT32:
                text_printf(text, "%" PRIi32, v->int32);
                break;
        case SD_BUS_TYPE_UINT32:
                text_printf(text, "%" PRIu32, v->uint32);
                break;
        case SD_BUS_TYPE_INT64:
                text_printf(text, "%" PRIi64, v->int64);
                break;
        case SD_BUS_TYPE_UINT64:
                if (v->uint64 == UINT64_MAX)
                        text_append(text, largest_number_text(name));
                else
                        text_printf(text, "%" PRIu64, v->uint64);
                break;
        default:
                text_printf(text, "%g", v->real);
        }
}

static int string_list_text(Text *text, sd_bus_message *message, const char *contents) {
        const char *string;
        int r;

        r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, contents + 1);
        if (r < 0)
                return r;
        while ((r = sd_bus_message_read_basic(message, contents[1], &string)) > 0) {
                if (text->n_bytes > 0)
                        text_append(text, " ");
                text_append(text, string);
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int bytes_text(Text *text, sd_bus_message *message) {
        const uint8_t *bytes;
        size_t n_bytes;
        int r;

        r = sd_bus_message_read_array(message, SD_BUS_TYPE_BYTE, (const void **) &bytes, &n_bytes);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n_bytes; i++)
                text_printf(text, "%02x", bytes[i]);
        return 0;
}

/* A variant's value as @text; @ret_is_kept is false where its type has no text form. */
static int value_text(Text *text, sd_bus_message *message, const char *name, bool *ret_is_kept) {
        const char *contents, *object_path;
        uint64_t basic[2];
        uint32_t id;
        int r;

        *ret_is_kept = true;
        r = sd_bus_message_peek_type(message, NULL, &contents);
        if (r < 0)
                return r;
        if (contents[1] == '\0' && strchr("sogbynqiuxtd", contents[0])) {
                r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents);
                if (r >= 0)
                        r = sd_bus_message_read_basic(message, contents[0], basic);
                if (r >= 0)
                        basic_text(text, name, contents[0], basic);
        } else if (strcmp(contents, "as") == 0 || strcmp(contents, "ao") == 0) {
                r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents);
                if (r >= 0)
                        r = string_list_text(text, message, contents);
        } else if (strcmp(contents, "ay") == 0) {
                r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents);
                if (r >= 0)
                        r = bytes_text(text, message);
        } else if (strcmp(contents, "(uo)") == 0) {
                r = sd_bus_message_enter_container(message, SD_BUS_TYPE_VARIANT, contents);
                if (r >= 0)
                        r = sd_bus_message_read(message, "(uo)", &id, &object_path);
                if (r >= 0)
                        text_printf(text, "%" PRIu32, id);
        } else {
                *ret_is_kept = false;
                return sd_bus_message_skip(message, "v");
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int property_update(Property *property, const Text *text, Entry *entry) {
        bool is_new = !property->text || strcmp(property->text, text_get(text)) != 0;

        if (text->is_broken)
                return -ENOMEM;
        if (is_new) {
                char *copy = strdup(text_get(text));

                if (!copy)
                        return -ENOMEM;
                free(property->text);
                property->text = copy;
        }
        if (is_new || property->is_exit_fact)
                entry_set(entry, property->name, property->text);
        return 0;
}

int unit_properties_read(UnitProperties *properties, sd_bus_message *message, Entry *entry) {
        CLEANUP_TEXT Text text = TEXT_INIT;
        size_t hint = 0;
        int r;

        r = sd_bus_message_enter_container(message, SD_BUS_TYPE_ARRAY, "{sv}");
        if (r < 0)
                return r;
        while ((r = sd_bus_message_enter_container(message, SD_BUS_TYPE_DICT_ENTRY, "sv")) > 0) {
                Property *property;
                const char *name;
                bool is_kept;

                text_truncate(&text, 0);
                r = sd_bus_message_read_basic(message, SD_BUS_TYPE_STRING, &name);
                if (r >= 0)
                        r = value_text(&text, message, name, &is_kept);
                if (r >= 0 && is_kept)
                        r = properties_find(properties, name, &hint, &property);
                if (r >= 0 && is_kept)
                        r = property_update(property, &text, entry);
                if (r >= 0)
                        r = sd_bus_message_exit_container(message);
                if (r < 0)
                        return r;
        }
        return r < 0 ? r : sd_bus_message_exit_container(message);
}
