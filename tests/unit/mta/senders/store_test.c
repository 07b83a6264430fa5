/* The file of senders and suppressions: what was acknowledged is there after a crash at any moment,
 * and of a call that was not, all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "mta/senders/store.h"
#include "tests/sim/disk_sim.h"

/* Facts that are easily told apart: step n adds one digest, takes one back and names a domain. */
static void facts_of(unsigned step, struct buf *out)
{
	char domain[32];
	struct wire_fact add = { .kind = step % 2 ? WIRE_FACT_STOPS_ALL : WIRE_FACT_STOPS_BULK,
				 .tenant = step % 3,
				 .hash = { (uint8_t)(step + 1), 7 } };
	struct wire_fact gone = { .kind = WIRE_FACT_STOPS_NONE,
				  .tenant = (step + 1) % 3,
				  .hash = { (uint8_t)(step - 1), 7 } };
	struct wire_fact name = { .kind = WIRE_FACT_SENDER, .tenant = step };

	(void)snprintf(domain, sizeof(domain), "d%u.example", step);
	name.domain = slice_str(domain);
	buf_clear(out);
	assert_int_equal(wire_fact_put(out, &add), 0);
	assert_int_equal(wire_fact_put(out, &gone), 0);
	assert_int_equal(wire_fact_put(out, &name), 0);
}

static void apply(struct known *k, struct slice facts)
{
	assert_int_equal(known_prepare(k, facts), 0);
	known_take(k, facts);
}

/* A number that stands for all that is known. */
static int mix(void *arg, const struct wire_fact *f)
{
	uint64_t *sum = arg, h = f->tenant * 31 + (uint64_t)f->kind;

	for (unsigned i = 0; i < WIRE_FACT_HASH; i++)
		h = h * 131 + f->hash[i];
	for (size_t i = 0; i < f->domain.n; i++)
		h = h * 131 + (unsigned char)f->domain.p[i];
	*sum += h * 0x9e3779b97f4a7c15ULL;
	return 0;
}

static uint64_t picture(const struct known *k)
{
	uint64_t sum = 1;

	assert_int_equal(known_each_fact(k, mix, &sum), 0);
	return sum;
}

enum { STEPS = 7, SET_AGAIN = 4 }; /* before step SET_AGAIN the whole set is written anew */

static int whole_set(struct store *s, unsigned step)
{
	struct buf b = { 0 };
	int r = store_begin(s);

	for (unsigned i = 0; i < 2 && r == 0; i++) {
		facts_of(step + i, &b);
		r = store_part(s, buf_data(&b));
	}
	if (r == 0)
		r = store_end(s);
	buf_free(&b);
	return r;
}

/* What is known after each step; *ret_done of them were acknowledged. */
struct run {
	uint64_t after[STEPS + 2];
	unsigned done;
};

static void step_known(struct known **k, unsigned step)
{
	struct buf b = { 0 };

	if (step == 0 || step == SET_AGAIN) {
		*k = known_free(*k);
		*k = known_new();
		for (unsigned i = 0; i < 2; i++) {
			facts_of(100 + step + i, &b);
			apply(*k, buf_data(&b));
		}
	} else {
		facts_of(step, &b);
		apply(*k, buf_data(&b));
	}
	buf_free(&b);
}

static int step_store(struct store *s, unsigned step)
{
	struct buf b = { 0 };
	int r;

	if (step == 0 || step == SET_AGAIN)
		return whole_set(s, 100 + step);
	facts_of(step, &b);
	r = store_change(s, buf_data(&b));
	buf_free(&b);
	return r;
}

static void pictures(struct run *run)
{
	struct known *k = known_new();

	run->after[0] = picture(k);
	for (unsigned step = 0; step < STEPS; step++) {
		step_known(&k, step);
		run->after[step + 1] = picture(k);
	}
	(void)known_free(k);
}

static int open_on(struct disk_sim *sim, struct store **ret, struct known **known,
		   struct store_fault *fault)
{
	const struct disk *d = disk_sim_disk(sim);

	return store_open(ret, d, d->open_dir(d->self, "x"), known, fault);
}

static void run_until_crash(struct disk_sim *sim, struct run *run)
{
	OWNED(store) s = NULL;
	OWNED(known) k = NULL;
	struct store_fault fault;

	run->done = 0;
	if (open_on(sim, &s, &k, &fault) < 0)
		return;
	while (run->done < STEPS && step_store(s, run->done) == 0)
		run->done++;
}

static void look_at(struct disk_sim *image, const struct run *run, const char *name)
{
	OWNED(store) s = NULL;
	OWNED(known) k = NULL;
	struct store_fault fault;
	int r = open_on(image, &s, &k, &fault);
	uint64_t now;

	if (r < 0)
		fail_msg("%s: %s (%s)", name, err_text(r), fault.reason ? fault.reason : "");
	now = picture(k);
	if (now != run->after[run->done] &&
	    (run->done == STEPS || now != run->after[run->done + 1]))
		fail_msg("%s: neither the old nor the new, %u steps were done", name, run->done);
	if (store_is_fed(s)) /* and it goes on from there */
		assert_int_equal(step_store(s, 1), 0);
}

static void after_a_crash_at_any_moment_it_is_the_old_or_the_new(void **state)
{
	struct run run;
	unsigned images = 0;

	(void)state;
	pictures(&run);
	for (unsigned at = 1;; at++) {
		OWNED(disk_sim) sim = disk_sim_new();
		char name[IMAGE_NAME];
		disk_sim_crash_at(sim, at);
		run_until_crash(sim, &run);
		if (!disk_sim_crashed(sim))
			break;
		for (unsigned i = 0; i < disk_sim_images(sim); i++, images++) {
			OWNED(disk_sim) image = disk_sim_image(sim, i, name);
			look_at(image, &run, name);
		}
	}
	assert_int_equal(run.done, STEPS);
	assert_true(images > 50);
}

static void a_change_whose_sync_failed_is_not_taken_and_none_after_it(void **state)
{
	OWNED(disk_sim) sim = disk_sim_new();
	OWNED(store) s = NULL;
	OWNED(known) k = NULL;
	struct store_fault fault;

	(void)state;
	assert_int_equal(open_on(sim, &s, &k, &fault), 0);
	assert_int_equal(step_store(s, 1), E_CONFLICT); /* of what? */
	assert_int_equal(step_store(s, 0), 0);
	disk_sim_fail_syncs(sim, -EIO);
	assert_int_equal(step_store(s, 1), -EIO);
	disk_sim_fail_syncs(sim, 0);
	assert_int_equal(step_store(s, 2), E_POISONED);
	assert_int_equal(step_store(s, SET_AGAIN), 0); /* another file */
	assert_int_equal(step_store(s, 5), 0);
}

static void a_full_disk_refuses_a_change_and_keeps_what_was(void **state)
{
	OWNED(disk_sim) sim = disk_sim_new();
	OWNED(store) s = NULL;
	OWNED(store) again = NULL;
	OWNED(known) k = NULL;
	OWNED(known) kept = NULL;
	struct store_fault fault;
	struct run run;

	(void)state;
	pictures(&run);
	assert_int_equal(open_on(sim, &s, &k, &fault), 0);
	assert_int_equal(step_store(s, 0), 0);
	disk_sim_capacity(sim, disk_sim_size(sim, STORE_FILE));
	assert_true(step_store(s, 1) < 0);
	assert_true(step_store(s, SET_AGAIN) < 0);
	disk_sim_capacity(sim, 1 << 20);
	assert_int_equal(open_on(sim, &again, &kept, &fault), 0);
	assert_true(picture(kept) == run.after[1]);
	assert_int_equal(step_store(s, 1), 0);
}

/* A byte that changed in what was synced: said, with the place; never a guess. */
static void damage_is_named_and_not_enforced_in_part(void **state)
{
	OWNED(disk_sim) sim = disk_sim_new();
	OWNED(store) s = NULL;
	OWNED(known) k = NULL;
	struct store_fault fault;
	struct run run;
	uint64_t last, all;
	int r = -1;

	(void)state;
	pictures(&run);
	assert_int_equal(open_on(sim, &s, &k, &fault), 0);
	assert_int_equal(step_store(s, 0), 0);
	assert_int_equal(step_store(s, 1), 0);
	last = disk_sim_size(sim, STORE_FILE);
	assert_int_equal(step_store(s, 2), 0);
	all = disk_sim_size(sim, STORE_FILE);
	for (uint64_t at = 0; at < all && r != 0; at++) {
		struct store *other = NULL;
		struct known *known = NULL;
		disk_sim_flip(sim, STORE_FILE, at, 3);
		r = open_on(sim, &other, &known, &fault);
		if (at < last)
			assert_true(r == E_CORRUPT && fault.reason);
		else /* a last block that is not whole was never acknowledged */
			assert_true(r == 0 && fault.cut == all - last &&
				    picture(known) == run.after[2]);
		if (r < 0)
			disk_sim_flip(sim, STORE_FILE, at, 3);
		(void)store_free(other);
		(void)known_free(known);
	}
	assert_int_equal(r, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_crash_at_any_moment_it_is_the_old_or_the_new),
		cmocka_unit_test(a_change_whose_sync_failed_is_not_taken_and_none_after_it),
		cmocka_unit_test(a_full_disk_refuses_a_change_and_keeps_what_was),
		cmocka_unit_test(damage_is_named_and_not_enforced_in_part),
	};

	return cmocka_run_group_tests_name("mta_senders_store", tests, NULL, NULL);
}
