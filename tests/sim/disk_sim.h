/* tests/sim/disk_sim.h - a second disk behind spool/disk.h: one folder in memory.  It knows what is
 * on the platter and what is only promised, loses power at a chosen operation, and gives every
 * state in which the platter could then be.
 *
 * Rules:  the bytes and the size of a file are on the platter after sync_data of that file, names
 *         after sync_dir.  Everything else that is pending may be there or not, in any order; a
 *         write may be there in part (512-byte sectors).
 * Owns:   disk_sim_new() and disk_sim_image() give; disk_sim_free() takes.
 * Limits: one folder, no subfolders; not thread-safe. */
#pragma once
#include "spool/disk.h"

struct disk_sim;
struct disk_sim *disk_sim_new(void);
struct disk_sim *disk_sim_free(struct disk_sim *sim);
DEFINE_OWNED(disk_sim)
const struct disk *disk_sim_disk(struct disk_sim *sim);

/* Every call that changes something is an operation, counted from 1. */
unsigned disk_sim_ops(const struct disk_sim *sim);
/* The power fails during operation n: it and all later calls give -EIO.  0: never. */
void disk_sim_crash_at(struct disk_sim *sim, unsigned n);
bool disk_sim_crashed(const struct disk_sim *sim);
/* Operation n alone gives err and does nothing. */
void disk_sim_fail_at(struct disk_sim *sim, unsigned n, int err);
void disk_sim_fail_syncs(struct disk_sim *sim, int err); /* from now on; 0: no more */
/* The bytes that all files may allocate; above it, allocate and growing writes give -ENOSPC. */
void disk_sim_capacity(struct disk_sim *sim, uint64_t bytes);

/* After a crash: each state in which the platter may be; name is for the failure line. */
enum { IMAGE_NAME = 64 };
unsigned disk_sim_images(const struct disk_sim *sim);
struct disk_sim *disk_sim_image(const struct disk_sim *sim, unsigned i, char *name);

/* To look at what is there now, and to damage it. */
uint64_t disk_sim_size(const struct disk_sim *sim, const char *file); /* 0: none */
void disk_sim_flip(struct disk_sim *sim, const char *file, uint64_t offset, unsigned bit);
void disk_sim_each(const struct disk_sim *sim, void (*each)(void *arg, const char *file),
		   void *arg);
