/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The varlink connection to journald, kept open: its end says that journald is gone. One method is used,
 * io.systemd.Journal.Synchronize: journald answers once it has taken in all that was sent to it and written it.
 * Source: https://varlink.org (messages are JSON objects, each ended by a NUL byte); journald-server.c of systemd.
 */

#include "observe/observer.h"

typedef struct JournaldLink JournaldLink;

typedef struct JournaldLinkHandler {
        void (*on_gone)(void *userdata); /* the connection ended; a question on the way will not be answered */
        void (*on_synchronized)(int error, void *userdata); /* 0, or -EIO where journald answered with an error */
        void *userdata;
} JournaldLinkHandler;

/* Does not connect yet. */
int journald_link_new(sd_event *event, const char *socket_path, const JournaldLinkHandler *handler,
                JournaldLink **ret_link);
JournaldLink *journald_link_free(JournaldLink *link);

bool journald_link_is_connected(const JournaldLink *link);
/* -ENOENT, -ECONNREFUSED, ... where there is no journald. */
int journald_link_connect(JournaldLink *link);
int journald_link_synchronize(JournaldLink *link);

DEFINE_CLEANUP(JournaldLink, journald_link_free)
