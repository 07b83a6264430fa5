/* Return paths: each recipient's own, where the host is ours; and the field that names it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

#include "message/compose.h"
#include "mta/queue/queue.h"
#include "mta/returnpath/returnpath.h"
#include "schema/wire/meta.h"
#include "tests/replay/engine_world.h"

static char dir[64], config[1024];
static const char *const both[] = { "u@one.test", "v@one.test" };

static int make_dir(void **state)
{
	(void)state;
	(void)strcpy(dir, "/tmp/postern-return-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[128];

	(void)state;
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

static const char *with(const char *more)
{
	(void)snprintf(config, sizeof(config), "%ssite.connections_start = 1\nreturn.keys = %s\n%s",
		       CONFIG, dir, more);
	return config;
}

#define EHLO "say 220 mx.test\nexpect EHLO\nsay 250 mx.test\n"
#define TAKE_ONE(from)                                                                             \
	"expect MAIL FROM:<" from "\nsay 250 ok\nexpect RCPT TO:\nsay 250 ok\nexpect DATA\n"       \
	"say 354 go\nbody\nsay 250 ok\n"
#define TAKE_TWO(from)                                                                             \
	"expect MAIL FROM:<" from "\nsay 250 ok\nexpect RCPT TO:\nsay 250 ok\n"                    \
	"expect RCPT TO:\nsay 250 ok\nexpect DATA\nsay 354 go\nbody\nsay 250 ok\n"

/* What X-Postern-Ref of message i says. */
static struct verp reference(struct world *w, unsigned i, const char *host)
{
	struct slice m = conn_sim_message(i), address;
	struct verp t = { .row = 0 };
	const char *at;

	assert_true(slice_starts_nocase(m, SLICE("X-Postern-Ref: ")));
	address = slice_skip(m, sizeof("X-Postern-Ref: ") - 1);
	address.n = (size_t)((const char *)memchr(address.p, '\r', address.n) - address.p);
	at = memchr(address.p, '@', address.n);
	assert_non_null(at);
	assert_true(slice_eq(slice_skip(address, (size_t)(at + 1 - address.p)), slice_str(host)));
	assert_int_equal(returnpath_read(returnpath_of(w->engine),
					 slice_of(address.p, (size_t)(at - address.p)),
					 slice_str(host), &t),
			 0);
	assert_true(t.kind == VERP_BOUNCE);
	return t;
}

static void begin(struct world *w, const char *more, const char *script)
{
	world_open(w, with(more), script);
}

static void end(struct world *w, unsigned messages)
{
	assert_string_equal(conn_sim_mistake() ? conn_sim_mistake() : "", "");
	assert_int_equal(conn_sim_messages(), messages);
	world_end(w);
}

static void each_recipient_has_its_own_return_path(void **state)
{
	struct world w;
	struct id128 job;

	(void)state;
	begin(&w, "return.hosts = r.test, sender.test\n",
	      EHLO TAKE_ONE("b+") TAKE_ONE("b+") "serve\n");
	w.tenant = 77;
	job = world_submit(&w, both, 2, DAY, "control", 1);
	world_run(&w, MINUTE);
	for (unsigned i = 0; i < 2; i++) {
		struct verp t = reference(&w, i, "sender.test");
		assert_true(id_eq(t.job, job) && t.tenant == 77);
		assert_int_equal(t.row, i);
	}
	assert_int_equal(world_books(&w).delivered, 2);
	end(&w, 2);
}

static void a_return_path_elsewhere_stays_and_the_message_still_refers(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "return.hosts = r.test\n", EHLO TAKE_TWO("a@sender.test>") "serve\n");
	world_submit(&w, both, 2, DAY, "control", 1);
	world_run(&w, MINUTE);
	assert_int_equal(reference(&w, 0, "r.test").row, VERP_ROW_ANY);
	end(&w, 1);
}

static void submitted_mail_keeps_its_sender(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "return.hosts = sender.test\n", EHLO TAKE_TWO("a@sender.test>") "serve\n");
	world_submit(&w, both, 2, DAY, "smtp", 1);
	world_run(&w, MINUTE);
	assert_int_equal(reference(&w, 0, "sender.test").row, VERP_ROW_ANY);
	end(&w, 1);
}

static void submitted_mail_is_rewritten_where_that_is_asked_for(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "return.hosts = r.test\nreturn.rewrite = yes\n",
	      EHLO TAKE_ONE("b+") TAKE_ONE("b+") "serve\n");
	world_submit(&w, both, 2, DAY, "smtp", 1);
	world_run(&w, MINUTE);
	assert_int_equal(reference(&w, 1, "r.test").row, 1);
	end(&w, 2);
}

/* The bounce goes to who submitted, from the null sender and without a token. */
static void a_local_bounce_goes_where_it_went(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "return.hosts = r.test\nreturn.rewrite = yes\n",
	      "say 220 mx.test\nreply RCPT 550 5.1.1 nobody\nserve\n");
	world_domain("sender.test", "10 mx.sender.test");
	resolver_sim_set("mx.sender.test", DNS_A, 5, "127.0.1.9");
	world_host("127.0.1.9",
		   EHLO "expect MAIL FROM:<>\nsay 250 ok\nexpect RCPT TO:<a@sender.test>\n"
			"say 250 ok\nexpect DATA\nsay 354 go\nbody\nsay 250 ok\nserve\n");
	world_submit(&w, one_rcpt, 1, DAY, "smtp", 1);
	world_run(&w, MINUTE);
	assert_int_equal(world_books(&w).bounced, 1);
	assert_true(slice_starts_nocase(conn_sim_message(1), SLICE("Date:")) ||
		    slice_starts_nocase(conn_sim_message(1), SLICE("From:")));
	end(&w, 2); /* the first is empty: nobody was left to take it */
}

static void without_hosts_nothing_changes_and_no_key_is_made(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "", EHLO TAKE_TWO("a@sender.test>") "serve\n");
	world_submit(&w, both, 2, DAY, "control", 1);
	world_run(&w, MINUTE);
	assert_false(slice_starts_nocase(conn_sim_message(0), SLICE("X-Postern-Ref")));
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	end(&w, 1);
}

/* A campaign of one recipient, whose unsubscribe address is `url`. */
static void submit_campaign(struct world *w, const char *url)
{
	struct compose_in in = { .from = SLICE("a@sender.test"),
				 .source = { .subject = SLICE("News"), .text = SLICE("Text") },
				 .list_unsubscribe = SLICE("{{unsubscribe_url}}"),
				 .one_click = true,
				 .env = { .any_field = true } };
	struct wire_content_meta cm = { .program = true };
	struct wire_job_meta jm = { .mail_from = SLICE("bounces@sender.test"),
				    .origin = SLICE("control") };
	struct value field = { .type = VALUE_STRING, .s = slice_str(url) };
	struct compose_error why;
	struct buf b[4];
	lsn_t lsn;
	job_no job;

	for (unsigned i = 0; i < ARRAY_LEN(b); i++)
		buf_init(&b[i], 0);
	assert_int_equal(compose_campaign(&in, &b[0], &why), 0);
	assert_int_equal(wire_content_meta_put(&b[1], &cm), 0);
	assert_int_equal(wire_job_meta_put(&b[2], &jm), 0);
	assert_int_equal(wire_row_put(&b[3], SLICE("u@one.test"), 5, &field, 1), 0);
	struct content_in c = { { 9, 9 }, buf_data(&b[1]), buf_data(&b[0]) };
	struct job_in j = { .id = { 9, 9 },
			    .content = { 9, 9 },
			    .accepted_ms = clock_wall_ms(),
			    .expires_ms = clock_wall_ms() + DAY,
			    .rows = 1,
			    .meta = buf_data(&b[2]),
			    .data = buf_data(&b[3]) };
	assert_int_equal(spool_put(engine_spool(w->engine), &c, &j, &job, &lsn), 0);
	assert_int_equal(spool_commit_now(engine_spool(w->engine)), 0);
	queue_job_added(w->engine, job);
	for (unsigned i = 0; i < ARRAY_LEN(b); i++)
		buf_free(&b[i]);
}

static void a_campaign_can_be_unsubscribed_from_by_mail(void **state)
{
	static const char before[] = "List-Unsubscribe: <https://u.test/x>,\r\n <mailto:u+";
	struct world w;
	struct slice m, local;
	struct verp t;
	const char *at;

	(void)state;
	begin(&w, "return.hosts = sender.test\n", decent);
	submit_campaign(&w, "https://u.test/x");
	world_run(&w, MINUTE);
	m = conn_sim_message(0);
	at = memmem(m.p, m.n, before, sizeof(before) - 1);
	assert_non_null(at);
	local.p = at + sizeof(before) - 3;
	local.n = (size_t)((const char *)memchr(local.p, '@', 80) - local.p);
	at = local.p + local.n;
	assert_true(slice_starts_nocase(
	    slice_of(at, 60),
	    SLICE("@sender.test?subject=unsubscribe>\r\nList-Unsubscribe-Post: ")));
	assert_int_equal(returnpath_read(returnpath_of(w.engine), local, SLICE("sender.test"), &t),
			 0);
	assert_true(t.kind == VERP_UNSUBSCRIBE && id_eq(t.job, (struct id128){ 9, 9 }) && !t.row);
	assert_non_null(memmem(m.p, m.n, "\r\n\r\nText", 8));
	end(&w, 1);
}

static void nothing_is_added_where_nothing_is_or_where_it_is_not_wanted(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "return.hosts = sender.test\n", decent);
	submit_campaign(&w, "no address"); /* the field is left out */
	world_run(&w, MINUTE);
	assert_null(memmem(conn_sim_message(0).p, conn_sim_message(0).n, "mailto:", 7));
	end(&w, 1);
	begin(&w, "return.hosts = sender.test\nreturn.unsubscribe = no\n", decent);
	submit_campaign(&w, "https://u.test/x");
	world_run(&w, MINUTE);
	assert_null(memmem(conn_sim_message(0).p, conn_sim_message(0).n, "mailto:", 7));
	end(&w, 1);
}

/* A key is made for the day of the simulation; what was sent before a restart is read after it. */
static void tokens_outlive_a_restart(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "return.hosts = sender.test\n", decent);
	world_submit(&w, one_rcpt, 1, DAY, "control", 1);
	world_run(&w, MINUTE);
	world_restart(&w);
	world_run(&w, 20 * DAY);
	world_submit(&w, one_rcpt, 1, DAY, "control", 2);
	world_run(&w, MINUTE);
	(void)reference(&w, 0, "sender.test");
	(void)reference(&w, 1, "sender.test");
	end(&w, 2);
}

int main(void)
{
#define IN_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
	const struct CMUnitTest tests[] = {
		IN_DIR(each_recipient_has_its_own_return_path),
		IN_DIR(a_return_path_elsewhere_stays_and_the_message_still_refers),
		IN_DIR(submitted_mail_keeps_its_sender),
		IN_DIR(submitted_mail_is_rewritten_where_that_is_asked_for),
		IN_DIR(a_local_bounce_goes_where_it_went),
		IN_DIR(without_hosts_nothing_changes_and_no_key_is_made),
		IN_DIR(a_campaign_can_be_unsubscribed_from_by_mail),
		IN_DIR(nothing_is_added_where_nothing_is_or_where_it_is_not_wanted),
		IN_DIR(tokens_outlive_a_restart),
	};
	return cmocka_run_group_tests_name("engine_returns", tests, NULL, NULL);
}
