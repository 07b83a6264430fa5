/* tests/sim/disk_image.c - the states in which a platter may be after a power failure: a table of
 * rules, each of which decides about every pending operation. */
#include <stdio.h>

#include "tests/sim/disk_inside.h"

enum { RANDOMS = 4 };
enum fate { LOST, DONE, TORN, ZEROED, GARBAGE };

/* A family of images: how many there are, and the fate of pending operation i in image k. */
struct family {
	const char *name;
	unsigned (*count)(const struct disk_sim *sim);
	enum fate (*fate)(const struct disk_sim *sim, unsigned k, size_t i);
};

static size_t last_write(const struct disk_sim *sim)
{
	for (size_t i = sim->n_pending; i > 0; i--)
		if (sim->pending[i - 1].kind == OP_WRITE)
			return i - 1;
	return SIZE_MAX;
}

static unsigned one(const struct disk_sim *sim UNUSED)
{
	return 1;
}

static unsigned each_op(const struct disk_sim *sim)
{
	return (unsigned)sim->n_pending;
}

static unsigned each_sector(const struct disk_sim *sim)
{
	size_t i = last_write(sim);

	return i == SIZE_MAX ? 0 : (unsigned)((sim->pending[i].n + SIM_SECTOR - 1) / SIM_SECTOR);
}

static unsigned if_write(const struct disk_sim *sim)
{
	return last_write(sim) != SIZE_MAX;
}

static unsigned randoms(const struct disk_sim *sim)
{
	return if_write(sim) * RANDOMS;
}

static enum fate lose_all(const struct disk_sim *sim UNUSED, unsigned k UNUSED, size_t i UNUSED)
{
	return LOST;
}

static enum fate keep_all(const struct disk_sim *sim UNUSED, unsigned k UNUSED, size_t i UNUSED)
{
	return DONE;
}

static enum fate lose_one(const struct disk_sim *sim UNUSED, unsigned k, size_t i)
{
	return i == k ? LOST : DONE;
}

static enum fate keep_one(const struct disk_sim *sim UNUSED, unsigned k, size_t i)
{
	return i == k ? DONE : LOST;
}

static enum fate tear_last(const struct disk_sim *sim, unsigned k UNUSED, size_t i)
{
	return i == last_write(sim) ? TORN : DONE;
}

static enum fate tear_writes(const struct disk_sim *sim, unsigned k UNUSED, size_t i)
{
	return sim->pending[i].kind == OP_WRITE ? TORN : DONE;
}

static enum fate zero_writes(const struct disk_sim *sim, unsigned k UNUSED, size_t i)
{
	return sim->pending[i].kind == OP_WRITE ? ZEROED : DONE;
}

static enum fate garble_writes(const struct disk_sim *sim, unsigned k UNUSED, size_t i)
{
	return sim->pending[i].kind == OP_WRITE ? GARBAGE : DONE;
}

static enum fate lose_names(const struct disk_sim *sim, unsigned k UNUSED, size_t i)
{
	return op_is_name(&sim->pending[i]) ? LOST : DONE;
}

static enum fate lose_data(const struct disk_sim *sim, unsigned k UNUSED, size_t i)
{
	return op_is_name(&sim->pending[i]) ? DONE : LOST;
}

enum { F_HEAD = 4, F_TAIL = 5, F_RANDOM = 6 };
static const struct family families[] = {
	{ "nothing pending survives", one, lose_all },
	{ "all survives", one, keep_all },
	{ "all but operation", each_op, lose_one },
	{ "only operation", each_op, keep_one },
	{ "last write, sectors before", each_sector, tear_last },
	{ "last write, sectors from", each_sector, tear_last },
	{ "random sectors", randoms, tear_writes },
	{ "sizes and zeros", if_write, zero_writes },
	{ "sizes and garbage", if_write, garble_writes },
	{ "names lost", one, lose_names },
	{ "names kept, data lost", one, lose_data },
};

unsigned disk_sim_images(const struct disk_sim *sim)
{
	unsigned n = 0;

	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		n += families[f].count(sim);
	return n;
}

static uint32_t chance(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 16;
}

static bool sector_kept(size_t f, unsigned k, unsigned sector, uint32_t *state)
{
	if (f == F_HEAD)
		return sector < k;
	if (f == F_TAIL)
		return sector >= k;
	return chance(state) & 1;
}

static void tear(struct bytes *b, const struct sim_op *op, size_t f, unsigned k)
{
	uint32_t state = k * 7919 + (uint32_t)op->n;

	for (size_t at = 0; at < op->n; at += SIM_SECTOR)
		if (sector_kept(f, k, (unsigned)(at / SIM_SECTOR), &state))
			sim_write(b, op->offset + at, op->p + at,
				  MIN_OF(op->n - at, (size_t)SIM_SECTOR));
}

static void fill(struct bytes *b, const struct sim_op *op, bool garbage)
{
	uint32_t state = (uint32_t)op->offset;
	char c;

	for (size_t i = 0; i < op->n; i++) {
		c = garbage ? (char)chance(&state) : 0;
		sim_write(b, op->offset + i, &c, 1);
	}
}

static void apply_op(struct disk_sim *to, const struct sim_op *op, enum fate fate, size_t f,
		     unsigned k)
{
	struct bytes *b = &to->files[op->file].now;

	if (fate == LOST)
		return;
	if (op_is_name(op))
		sim_apply_name(&to->now, op);
	else if (op->kind == OP_SIZE)
		sim_resize(b, op->offset);
	else if (fate == DONE)
		sim_write(b, op->offset, op->p, op->n);
	else if (fate == TORN)
		tear(b, op, f, k);
	else
		fill(b, op, fate == GARBAGE);
}

static struct disk_sim *copy_platter(const struct disk_sim *sim)
{
	struct disk_sim *to = disk_sim_new();

	to->capacity = sim->capacity;
	to->n_files = sim->n_files;
	to->files = must_alloc(MAX_OF(sim->n_files, 1u) * sizeof(*to->files));
	for (unsigned i = 0; i < sim->n_files; i++)
		sim_write(&to->files[i].now, 0, sim->files[i].platter.p, sim->files[i].platter.n);
	to->now = sim->platter;
	return to;
}

struct disk_sim *disk_sim_image(const struct disk_sim *sim, unsigned i, char *name)
{
	struct disk_sim *to = copy_platter(sim);
	size_t f = 0;

	while (i >= families[f].count(sim))
		i -= families[f++].count(sim);
	for (size_t op = 0; op < sim->n_pending; op++)
		apply_op(to, &sim->pending[op], families[f].fate(sim, i, op), f, i);
	/* What is there after the crash is on the platter. */
	for (unsigned k = 0; k < to->n_files; k++)
		sim_write(&to->files[k].platter, 0, to->files[k].now.p, to->files[k].now.n);
	to->platter = to->now;
	(void)snprintf(name, IMAGE_NAME, "%s %u", families[f].name, i);
	return to;
}
