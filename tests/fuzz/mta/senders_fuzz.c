/* Laws: a file of senders, whatever its bytes, is refused or gives something that, written anew, is
 * read as the same; a run of facts, whatever its bytes, is taken whole or not at all, and what is
 * then known has the sums of its parts.  The first byte says which: odd is a file. */
#include <fcntl.h>

#include "mta/senders/store.h"
#include "tests/sim/disk_sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int put_fact(void *arg, const struct wire_fact *f)
{
	return wire_fact_put(arg, f);
}

static struct slice facts_of(const struct known *k, struct buf *out)
{
	int r = known_each_fact(k, put_fact, out);

	assert(r == 0);
	return buf_data(out);
}

static void equal(const struct known *a, const struct known *b)
{
	struct known_counts x = known_all(a), y = known_all(b);

	assert(x.senders == y.senders && x.stops_all == y.stops_all &&
	       x.stops_bulk == y.stops_bulk && x.credentials == y.credentials &&
	       x.routes == y.routes);
}

static void take(struct slice facts)
{
	OWNED(known) k = known_new();
	OWNED(known) again = known_new();
	struct buf all = { 0 };
	int r = known_prepare(k, facts);

	if (r == 0)
		known_take(k, facts);
	else
		assert(known_equals(k, slice_of("", 0)));
	r = known_prepare(again, facts_of(k, &all));
	assert(r == 0);
	known_take(again, buf_data(&all));
	equal(k, again);
	buf_free(&all);
}

static int open_on(const struct disk *d, struct store **s, struct known **k)
{
	struct store_fault fault;

	return store_open(s, d, d->open_dir(d->self, "x"), k, &fault);
}

static void write_anew(const struct disk *d, struct store *s, const struct known *k)
{
	OWNED(store) other = NULL;
	OWNED(known) again = NULL;
	struct buf all = { 0 };
	int r = store_begin(s);

	if (r == 0 && facts_of(k, &all).n <= STORE_FACTS_MAX)
		r = store_part(s, buf_data(&all));
	if (r == 0)
		r = store_end(s);
	assert(r == 0);
	r = open_on(d, &other, &again);
	assert(r == 0 && store_is_fed(other));
	equal(k, again);
	buf_free(&all);
}

static void read_file(struct slice bytes)
{
	OWNED(disk_sim) sim = disk_sim_new();
	const struct disk *d = disk_sim_disk(sim);
	OWNED(store) s = NULL;
	OWNED(known) k = NULL;
	int fd = d->open(d->self, d->open_dir(d->self, "x"), STORE_FILE, O_RDWR | O_CREAT, 0600);
	ssize_t n = d->pwrite(d->self, fd, bytes.p, bytes.n, 0);

	assert(fd >= 0 && n == (ssize_t)bytes.n);
	(void)d->close(d->self, fd);
	if (open_on(d, &s, &k) == 0)
		write_anew(d, s, k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);

	if (size < 2)
		return 0;
	if (data[0] & 1)
		read_file(slice_skip(in, 1));
	else
		take(slice_skip(in, 1));
	return 0;
}
