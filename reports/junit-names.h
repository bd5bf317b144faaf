/* SPDX-License-Identifier: MIT */
#pragma once

#include "reports/junit-case.h"

/**
 * junit_names_make_unique() - number the names that come twice in a suite: "x.yaml", "x.yaml (2)"
 *
 * Readers drop a case whose class and name they have seen. Names are equal where one file was given by two paths,
 * where merged runs played the same, and where they differ in bytes that no XML can hold.
 *
 * Errors: -ENOMEM; what has its new name by then keeps it.
 */
int junit_names_make_unique(JunitCase *const *cases, size_t n_cases);
