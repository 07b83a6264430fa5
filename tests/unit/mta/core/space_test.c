/* Unit test of mta/core/space.h, with a disk whose free space is what the test says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mta/config/host.h"
#include "mta/core/engine_run.h"
#include "mta/core/space.h"
#include "spool/disk.h"

static const struct part *const parts[] = { &space_part };
static const struct option_set *const sets[] = { &host_option_set, &core_option_set };
static uint64_t free_now;

static int say_free(void *self, int dirfd, uint64_t *ret)
{
	(void)self, (void)dirfd;
	*ret = free_now;
	return 0;
}

struct one {
	struct engine *engine;
	struct disk disk;
	char dir[64];
	FILE *log;
};

static void begin(struct one *o)
{
	struct spool_options so = { .dir = o->dir,
				    .disk = &o->disk,
				    .segment_bytes = 1 << 20,
				    .reserve_bytes = 8 << 20,
				    .clean_ratio = 300 };
	char error[OPTION_ERROR_MAX];
	const char *what;
	struct settings *s;
	struct spool *sp;

	o->disk = *disk_real();
	o->disk.free_bytes = say_free;
	free_now = 1 << 30;
	o->log = tmpfile();
	log_open(fileno(o->log), LOG_INFO);
	(void)snprintf(o->dir, sizeof(o->dir), "/tmp/postern-space.XXXXXX");
	assert_non_null(mkdtemp(o->dir));
	assert_int_equal(
	    settings_parse(&s, sets, ARRAY_LEN(sets), SLICE("lanes = 1\n"), "test", error), 0);
	assert_int_equal(spool_open(&sp, &so), 0);
	assert_int_equal(engine_new(&o->engine, s, sp, parts, ARRAY_LEN(parts), false), 0);
	assert_int_equal(engine_start(o->engine, &what), 0);
}

static void end(struct one *o)
{
	char command[128];

	engine_free(o->engine);
	log_open(STDERR_FILENO, LOG_ERROR);
	(void)fclose(o->log);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", o->dir);
	assert_int_equal(system(command), 0);
}

/* The disk is so for a while that is long enough for two looks. */
static void for_a_while(struct one *o, uint64_t free_bytes)
{
	int64_t until = clock_mono_ms() + 2200;

	free_now = free_bytes;
	assert_int_equal(spool_commit_now(engine_spool(o->engine)), 0);
	while (clock_mono_ms() < until) {
		(void)engine_turn(o->engine);
		usleep(20000);
	}
}

static unsigned said(struct one *o, const char *event)
{
	char line[1024];
	unsigned n = 0;

	rewind(o->log);
	while (fgets(line, sizeof(line), o->log))
		n += strstr(line, event) != NULL;
	return n;
}

static void a_full_disk_and_its_end_are_each_told_once(void **state)
{
	struct one o;

	(void)state;
	begin(&o);
	for_a_while(&o, 1 << 30);
	assert_int_equal(said(&o, "spool."), 0);
	for_a_while(&o, 1 << 20);
	assert_int_equal(said(&o, "spool.refusing"), 1);
	for_a_while(&o, 1 << 30);
	assert_int_equal(said(&o, "spool.refusing"), 1);
	assert_int_equal(said(&o, "spool.taking"), 1);
	end(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_and_its_end_are_each_told_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
