/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The GNU extensions the project uses, each behind a name: automatic clean-up of locals, handing over ownership,
 * array length. Everything else in the project is plain C17 with _GNU_SOURCE.
 */

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Assertions are for programmer errors and stay on in every build. */
#ifdef NDEBUG
#undef NDEBUG
#include <assert.h>
#endif

#define CLEANUP(fn)        __attribute__((cleanup(fn)))
#define PRINTF_LIKE(f, a)  __attribute__((format(printf, f, a)))
#define MUST_CHECK         __attribute__((warn_unused_result))
#define ELEMENTS_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FOREACH_ARRAY(i, array, n)                                                                                   \
        for (typeof(*(array)) *i = (array), *i##_end = (n) ? (array) + (n) : i; i < i##_end; i++)

/* Hands a pointer over: the local that CLEANUP watches becomes NULL. */
#define TAKE_PTR(ptr)                                                                                                \
        ({                                                                                                           \
                typeof(ptr) *take_from_ = &(ptr);                                                                    \
                typeof(ptr) taken_ = *take_from_;                                                                    \
                *take_from_ = NULL;                                                                                  \
                taken_;                                                                                              \
        })

#define TAKE_FD(fd)                                                                                                  \
        ({                                                                                                           \
                int *take_from_ = &(fd);                                                                             \
                int taken_ = *take_from_;                                                                            \
                *take_from_ = -EBADF;                                                                                \
                taken_;                                                                                              \
        })

/*
 * DEFINE_CLEANUP(JobWatch, job_watch_free) makes CLEANUP(job_watch_free_p) usable on a `JobWatch *` local. The
 * destructor takes NULL and returns NULL.
 */
#define DEFINE_CLEANUP(Type, destructor)                                                                             \
        static inline void destructor##_p(Type **object) {                                                           \
                *object = destructor(*object);                                                                       \
        }

static inline void free_p(void *pointer) {
        free(*(void **) pointer);
}

static inline void close_p(int *fd) {
        if (*fd >= 0)
                (void) close(*fd);
}

static inline void fclose_p(FILE **file) {
        if (*file)
                (void) fclose(*file);
}

#define CLEANUP_FREE  CLEANUP(free_p)
#define CLEANUP_CLOSE CLEANUP(close_p)
#define CLEANUP_FILE  CLEANUP(fclose_p)
