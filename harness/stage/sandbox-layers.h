/* SPDX-License-Identifier: MIT */
#pragma once

/* The host's file systems as layers of the sandbox's root; for sandbox-root.c and sandbox-layers.c alone. */

#include <stdbool.h>

#include "base/error.h"

typedef struct Layer {
        char *host_path;     /* where the host has it mounted; canonical */
        char *upper_path;    /* what the sandbox writes goes here, in memory; NULL for a mounted file */
        char *work_path;     /* overlayfs's own */
        unsigned long flags; /* MS_NOSUID and the like, as on the host */
        bool is_folder;      /* else a file is mounted there, as container managers do with /etc/resolv.conf */
        bool is_empty;       /* hidden as a whole */
} Layer;

typedef struct Layers {
        Layer *items;
        size_t n_items;
        size_t n_made; /* numbers the folders in the staging place */
} Layers;

void layers_done(Layers *layers);
/* The root and every file system below it that is to be shown, parents first. */
int layers_read(Layers *layers, const char *staging_path, Error *reterr);
/* One more folder of the host as a layer; *ret_layer is borrowed until the next call. */
int layers_add(Layers *layers, const char *staging_path, const char *host_path, Layer **ret_layer, Error *reterr);
/* The layer that holds host path @path: the one mounted closest above it. */
Layer *layers_find(const Layers *layers, const char *path);
/* Makes @path, which is in @layer, start empty: an opaque folder in the upper layer. Before layer_mount(). */
int layer_hide(Layer *layer, const char *path, Error *reterr);
/* Overlay; read-only bind mount where the file system cannot be a lower layer. */
int layer_mount(const Layer *layer, const char *target_path, Error *reterr);
/* Is it below something of which the sandbox has its own: /proc, /sys, /dev, /run? */
bool path_is_own(const char *path);
