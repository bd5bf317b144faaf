/* SPDX-License-Identifier: MIT */
#pragma once

/* The host's file systems as layers of the sandbox's root; for sandbox-root.c and sandbox-layers.c alone. */

#include <stdbool.h>

#include "base/error.h"

typedef struct Layer {
        char *host_path;      /* where the host has it mounted; canonical */
        char *upper_path;     /* what the sandbox writes goes here, in memory; NULL for a mounted file */
        char *work_path;      /* overlayfs's own */
        unsigned long flags;  /* MS_NOSUID and the like, as on the host */
        bool is_folder;       /* else a file is mounted there, as container managers do with /etc/resolv.conf */
        bool is_empty;        /* hidden as a whole, or made anew: what the upper folder holds is all there is */
        bool is_bound;        /* a file that is not copied */
        bool is_unprivileged; /* the overlay is mounted in a user namespace */
} Layer;

typedef struct Layers {
        Layer *items;
        size_t n_items;
        size_t n_made;            /* numbers the folders in the staging place */
        bool is_unprivileged;     /* made by the root of a user namespace: sandbox-skeleton.c */
        const char *staging_path; /* borrowed */
} Layers;

void layers_done(Layers *layers);
/* The root and every file system below it that is to be shown, parents first. */
int layers_read(Layers *layers, const char *staging_path, Error *reterr);
/* The same for the root of a user namespace; in it some folders are open to be written to, as by layers_open(). */
int layers_read_unprivileged(Layers *layers, const char *staging_path, Error *reterr);
/* Makes the host's folder @path belong to the root of the stage, whoever owns it here. Before layer_mount(). */
int layers_open(Layers *layers, const char *path, Error *reterr);
/* Parents first, whatever was added in between. */
void layers_sort(Layers *layers);
/* One more folder of the host as a layer; *ret_layer is borrowed until the next call. */
int layers_add(Layers *layers, const char *staging_path, const char *host_path, Layer **ret_layer, Error *reterr);
/* The layer that holds host path @path: the one mounted closest above it. */
Layer *layers_find(const Layers *layers, const char *path);
/* Makes @path start empty. Before layer_mount(). */
int layers_hide(Layers *layers, const char *path, Error *reterr);
/* A folder of ours that stands for one of the host's: same mode, same owner as far as there is one in our namespace.
 */
int mkdir_like(const char *path, const char *host_path);
/* Puts folder @path of the host, which is in @layer, into the upper layer. *ret_upper_path: where; may be NULL. */
int layer_make_path(const Layer *layer, const char *path, char **ret_upper_path);
/* Overlay; read-only bind mount where the file system cannot be a lower layer. */
int layer_mount(const Layer *layer, const char *target_path, Error *reterr);
/* Is it below something of which the sandbox has its own: /proc, /sys, /dev, /run? */
bool path_is_own(const char *path);
/* Is it an interface of the kernel, of which a copy would be nonsense? */
bool fs_type_is_api(const char *fs_type);
