/* SPDX-License-Identifier: MIT */
#pragma once

/* What these tests stand on: a loop, a timeline and a folder of their own for evidence and files. */

#include <check.h>

#include "observe/observer.h"

typedef struct Bench {
        Observer observer;
        char folder[64];
} Bench;

Bench *bench_new(void);
Bench *bench_free(Bench *bench);

/* "FOLDER/NAME"; the caller's. */
char *bench_path(const Bench *bench, const char *name);
void bench_write(const Bench *bench, const char *name, const char *text);

/* Runs the loop until the timeline has an entry of @kind at or behind @from; fails the test after 10 s. */
const Entry *bench_await(Bench *bench, size_t from, EntryKind kind);
/* The same until *@flag is set. */
void bench_await_flag(Bench *bench, const bool *flag);
/* The last entry, which must be of @kind. */
const Entry *bench_last(const Bench *bench, EntryKind kind);
