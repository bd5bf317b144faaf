#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes harness/judge/state-properties.c from the timeline of a run of harness/judge/state-properties.yaml:

    agenttest run --evidence=/tmp/properties harness/judge/state-properties.yaml
    harness/judge/state-properties.py /tmp/properties/*/timeline.ndjson > harness/judge/state-properties.c
"""

import json
import re
import sys

HEAD = """/* SPDX-License-Identifier: MIT */
/*
 * Generated: the properties of units that have a text, by their names on D-Bus. Made on Debian 12 (systemd 252), see
 * state-properties.py. For a newer systemd, run it again there.
 */
/* clang-format off */
#include "judge/state-properties.h"

#include <stddef.h>

const char *const state_properties[] = {"""

names = set()
with open(sys.argv[1], encoding="utf-8") as timeline:
    for line in timeline:
        entry = json.loads(line)
        if entry["kind"] == "properties":
            # Lower case: the harness's own fields (asked, errno).
            names.update(name for name in entry["f"] if re.match("[A-Z]", name))

print(HEAD)
for name in sorted(names):
    print(f'        "{name}",')
print("        NULL,\n};")
