/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * SHA-256, so that a file larger than what is recorded of it can still be compared. Our own because the kernel's
 * (AF_ALG) is missing from many kernels and closed in containers, and a library for 60 lines is one more to install.
 * Source: FIPS 180-4.
 */

#include <stddef.h>
#include <stdint.h>

typedef struct Sha256 {
        uint32_t words[8];
        uint8_t block[64];
        uint64_t n_bytes;
} Sha256;

#define SHA256_TEXT_MAX 65

void sha256_init(Sha256 *hash);
void sha256_add(Sha256 *hash, const void *bytes, size_t n_bytes);
/* The digest as hex into @text, which is returned. */
const char *sha256_text(Sha256 *hash, char text[static SHA256_TEXT_MAX]);
