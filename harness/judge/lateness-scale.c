/* SPDX-License-Identifier: MIT */
#include "judge/lateness-scale.h"

#include <inttypes.h>

uint64_t lateness_scale(const Timeline *timeline) {
        const Entry *versions = timeline_next(timeline, 0, ENTRY_VERSIONS, NULL);
        int64_t scale = versions ? entry_get_number(versions, "lateness-scale", 1) : 1;

        return scale > 1 ? (uint64_t) scale : 1;
}

void lateness_scale_note(const Timeline *timeline, Text *text) {
        uint64_t scale = lateness_scale(timeline);

        if (scale > 1)
                text_printf(text, " (late-by-at-most counts %" PRIu64 " times here)", scale);
}
