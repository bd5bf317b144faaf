/* SPDX-License-Identifier: MIT */
#pragma once

/* Where something stands in a scenario file. */

typedef struct Mark {
        unsigned line;   /* 1-based; 0: nowhere */
        unsigned column; /* 1-based, in characters */
} Mark;
