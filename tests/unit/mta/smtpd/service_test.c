/* Unit test of mta/smtpd/smtpd.h: a second service in the same process, beside submission. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mta/smtpd/clients.h"
#include "mta/smtpd/smtpd.h"
#include "mta/submit/submit.h"
#include "tests/engine_parts.h"
#include "tests/unit/mta/engine_box.h"
#include "tests/unit/mta/smtpd/talk.h"

/* ---- the parrot: it keeps the last message and says no to some --------------------------- */

enum { SUBMISSION = 2525, PARROT = 2526, JOB = 42 };

struct parrot { /* one lane's */
	struct smtpd_server *server;
	struct smtpd_settings settings;
	struct smtpd_counters counters;
	struct engine *engine;
};
static struct {
	pthread_mutex_t lock;
	struct buf message, rcpts;
	unsigned safe;
	bool closed;
	struct smtpd_counters *counters[8];
	unsigned n_counters;
} heard = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct slice parrot_closed(void *state)
{
	bool is_closed;

	(void)state;
	pthread_mutex_lock(&heard.lock);
	is_closed = heard.closed;
	pthread_mutex_unlock(&heard.lock);
	return is_closed ? SLICE("451 4.3.2 the parrot sleeps\r\n") : SMTPD_GO_ON;
}

static struct slice parrot_mail(void *state, struct smtpd_session *s)
{
	struct slice from = mailbox_text(&smtpd_session_mail(s)->from);

	(void)state;
	if (slice_eq(from, SLICE("cat@a.example")))
		return SLICE("550 5.7.1 no cats\r\n");
	if (slice_eq(from, SLICE("fire@a.example")))
		return SLICE("421 4.3.2 fire\r\n");
	return SMTPD_GO_ON;
}

static struct slice parrot_rcpt(void *state, struct smtpd_session *s, const struct mailbox *to)
{
	struct buf *rcpts = &smtpd_session_mail(s)->rcpts;

	(void)state;
	if (slice_eq(mailbox_text(to), SLICE("nobody@b.example")))
		return SLICE("550 5.1.1 no such nest\r\n");
	buf_put(rcpts, mailbox_text(to));
	buf_put(rcpts, SLICE(" "));
	return SMTPD_GO_ON;
}

static int parrot_begin(void *state, struct smtpd_session *s)
{
	struct smtpd_mail *m = smtpd_session_mail(s);

	(void)state;
	m->id = (struct id128){ 0, 7 };
	return buf_append(&m->message, SLICE("X-Own: 1\r\n"));
}

static struct slice parrot_message(void *state, struct smtpd_session *s, struct smtpd_taken *ret)
{
	struct parrot *p = state;
	struct smtpd_mail *m = smtpd_session_mail(s);

	if (m->n_rcpts == 2)
		return SLICE("554 5.7.0 one nest at a time\r\n");
	pthread_mutex_lock(&heard.lock);
	buf_clear(&heard.message);
	buf_put(&heard.message, buf_data(&m->message));
	buf_clear(&heard.rcpts);
	buf_put(&heard.rcpts, buf_data(&m->rcpts));
	pthread_mutex_unlock(&heard.lock);
	*ret = (struct smtpd_taken){ JOB, spool_durable(engine_spool(p->engine)) };
	return SMTPD_GO_ON;
}

static void parrot_safe(void *state, const struct smtpd_taken *t)
{
	(void)state;
	pthread_mutex_lock(&heard.lock);
	heard.safe += t->job == JOB;
	pthread_mutex_unlock(&heard.lock);
}

static void put_words(void *state, const struct smtpd_session *s, struct buf *out)
{
	(void)state, (void)s;
	buf_put(out, SLICE(" 7"));
}

static bool never(void *state, const struct smtpd_session *s)
{
	(void)state, (void)s;
	return false;
}

static struct slice take_colour(void *state, struct smtpd_session *s, struct slice value)
{
	(void)state, (void)s;
	return slice_eq(value, SLICE("red")) ? SMTPD_GO_ON : SLICE("501 5.5.4 only red\r\n");
}

static const struct smtpd_keyword keywords[] = {
	{ "XWORDS", NULL, put_words },
	{ "XSILENT", never, NULL },
};
static const struct smtpd_param params[] = {
	{ SMTPD_VERB_MAIL, SLICE("XCOLOUR"), take_colour },
	{ SMTPD_VERB_RCPT, SLICE("XNEST"), take_colour },
};
static struct smtpd_clients parrots = SMTPD_CLIENTS_INIT;
static const struct smtpd_service parrot = {
	.name = "parrot",
	.clients = &parrots,
	.keywords = keywords,
	.n_keywords = ARRAY_LEN(keywords),
	.params = params,
	.n_params = ARRAY_LEN(params),
	.closed = parrot_closed,
	.mail = parrot_mail,
	.rcpt = parrot_rcpt,
	.begin = parrot_begin,
	.message = parrot_message,
	.safe = parrot_safe,
};

static int parrot_start(struct lane *l, void **ret_state)
{
	static const struct listener at = { .ip = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } },
					    .port = PARROT };
	struct parrot *p = must_alloc(sizeof(*p));
	struct smtpd_server_options o = { .lane = l,
					  .service = &parrot,
					  .state = p,
					  .settings = &p->settings,
					  .counters = &p->counters,
					  .listen = &at,
					  .n_listen = 1 };
	int r;

	p->engine = lane_engine(l);
	p->settings = (struct smtpd_settings){ .hostname = "parrot.example",
					       .tls_cert = "",
					       .tls_key = "",
					       .max_size = 1000,
					       .max_rcpts = 3,
					       .max_sessions = 10,
					       .max_sessions_client = 1,
					       .timeout = 60000 };
	r = smtpd_server_new(&p->server, &o);
	if (r < 0) {
		free(p);
		return r;
	}
	pthread_mutex_lock(&heard.lock);
	heard.counters[heard.n_counters++] = &p->counters;
	pthread_mutex_unlock(&heard.lock);
	*ret_state = p;
	return 0;
}

static void parrot_quiet(void *state)
{
	smtpd_server_quiet(((struct parrot *)state)->server);
}

static void parrot_stop(void *state)
{
	struct parrot *p = state;

	p->server = smtpd_server_free(p->server);
	free(p);
}

static const struct part parrot_part = {
	.name = "parrot", .start = parrot_start, .quiet = parrot_quiet, .stop = parrot_stop
};

static void parrot_box(struct box *b)
{
	static const struct part *parts[PARTS_MAX];
	unsigned n;
	const struct part *const *delivering = engine_parts_delivering(&n);

	memcpy(parts, delivering, n * sizeof(*delivering));
	parts[n++] = &submit_part;
	parts[n++] = &parrot_part;
	heard.safe = heard.n_counters = 0;
	heard.closed = false;
	box_start_with(b, parts, n, NULL);
}

static void parrot_box_remove(struct box *b)
{
	box_remove(b);
	buf_free(&heard.message);
	buf_free(&heard.rcpts);
}

static uint64_t counted(size_t offset)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < heard.n_counters; i++)
		n += atomic_load((_Atomic uint64_t *)(void *)((char *)heard.counters[i] + offset));
	return n;
}
#define COUNTED(member) counted(offsetof(struct smtpd_counters, member))

static uint64_t submission(struct box *b, size_t offset)
{
	return counters_sum(b->engine, &submit_part, offset);
}

/* ---- tests ------------------------------------------------------------------------------- */

static void two_services_have_limits_and_counts_of_their_own(void **state)
{
	struct box b;
	int one, other, third, more;

	(void)state;
	parrot_box(&b);
	one = talk_greeted(PARROT, NULL);
	other = talk_greeted(SUBMISSION, NULL);
	third = talk_greeted(SUBMISSION, NULL);
	more = talk_connect(PARROT);
	assert_int_equal(strncmp(talk_hear(more, 1), "421 4.7.0", 9), 0);
	assert_int_equal(COUNTED(sessions), 1);
	assert_int_equal(COUNTED(sessions_open), 1);
	assert_int_equal(COUNTED(refused), 1);
	assert_int_equal(submission(&b, offsetof(struct smtpd_counters, sessions_open)), 2);
	assert_int_equal(submission(&b, offsetof(struct smtpd_counters, refused)), 0);
	close(more);
	talk_expect(one, "QUIT\r\n", "221");
	assert_int_equal(recv(one, &more, 1, 0), 0);
	close(one);
	one = talk_greeted(PARROT, NULL); /* its place is free again */
	close(one);
	close(other);
	close(third);
	parrot_box_remove(&b);
}

static void keywords_of_a_service_come_behind_those_of_the_server(void **state)
{
	const char *reply;
	struct box b;
	int fd;

	(void)state;
	parrot_box(&b);
	fd = talk_greeted(PARROT, &reply);
	assert_int_equal(strncmp(reply, "250-parrot.example\r\n", 20), 0);
	assert_non_null(strstr(reply, "250-SIZE 1000\r\n"));
	assert_non_null(strstr(reply, "250-SMTPUTF8\r\n250 XWORDS 7\r\n"));
	assert_null(strstr(reply, "XSILENT"));
	assert_null(strstr(reply, "STARTTLS"));
	close(fd);
	fd = talk_greeted(SUBMISSION, &reply);
	assert_non_null(strstr(reply, "250-SMTPUTF8\r\n"));
	assert_null(strstr(reply, "XWORDS"));
	close(fd);
	parrot_box_remove(&b);
}

static void parameters_of_a_service_belong_to_it_and_to_their_command(void **state)
{
	struct box b;
	int fd;

	(void)state;
	parrot_box(&b);
	fd = talk_greeted(SUBMISSION, NULL);
	talk_expect(fd, "MAIL FROM:<a@a.example> XCOLOUR=red\r\n", "555 5.5.4");
	close(fd);
	fd = talk_greeted(PARROT, NULL);
	talk_expect(fd, "MAIL FROM:<a@a.example> XCOLOUR=blue\r\n", "501 5.5.4 only red");
	talk_expect(fd, "MAIL FROM:<a@a.example> XNEST=red\r\n", "555 5.5.4");
	talk_expect(fd, "MAIL FROM:<a@a.example> SIZE=10 xcolour=red\r\n", "250 2.1.0");
	talk_expect(fd, "RCPT TO:<b@b.example> SIZE=10\r\n", "555 5.5.4");
	talk_expect(fd, "RCPT TO:<b@b.example> XNEST=red\r\n", "250 2.1.5");
	talk_expect(fd, "HELO client.example\r\n", "250 parrot.example\r\n");
	talk_expect(fd, "MAIL FROM:<a@a.example> XCOLOUR=red\r\n", "555 5.5.4");
	close(fd);
	parrot_box_remove(&b);
}

static void a_service_may_refuse_mail_a_sender_and_a_recipient(void **state)
{
	struct box b;
	char byte;
	int fd;

	(void)state;
	parrot_box(&b);
	fd = talk_greeted(PARROT, NULL);
	talk_expect(fd, "MAIL FROM:<cat@a.example>\r\n", "550 5.7.1 no cats");
	talk_expect(fd, "RCPT TO:<b@b.example>\r\n", "503 5.5.1");
	talk_expect(fd, "MAIL FROM:<a@a.example>\r\n", "250");
	talk_expect(fd, "RCPT TO:<nobody@b.example>\r\n", "550 5.1.1 no such nest");
	talk_expect(fd, "DATA\r\n", "554 5.5.1");
	talk_expect(fd, "RSET\r\n", "250");
	pthread_mutex_lock(&heard.lock);
	heard.closed = true;
	pthread_mutex_unlock(&heard.lock);
	talk_expect(fd, "MAIL FROM:<a@a.example>\r\n", "451 4.3.2 the parrot sleeps");
	pthread_mutex_lock(&heard.lock);
	heard.closed = false;
	pthread_mutex_unlock(&heard.lock);
	talk_expect(fd, "MAIL FROM:<fire@a.example>\r\n", "421 4.3.2 fire");
	assert_int_equal(recv(fd, &byte, 1, 0), 0); /* 421 is the last word */
	close(fd);
	parrot_box_remove(&b);
}

static void a_message_is_the_services_with_what_it_put_in_front(void **state)
{
	struct box b;
	int fd;

	(void)state;
	parrot_box(&b);
	fd = talk_greeted(PARROT, NULL);
	for (unsigned i = 1; i <= 2; i++) {
		talk_say(fd, "MAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n");
		(void)talk_hear(fd, 3);
		talk_expect(fd, "Subject: x\r\n\r\n..dot\r\n.\r\n", "250 2.0.0 queued as 0.");
		pthread_mutex_lock(&heard.lock);
		assert_true(slice_eq(buf_data(&heard.message),
				     SLICE("X-Own: 1\r\nSubject: x\r\n\r\n.dot\r\n")));
		assert_true(slice_eq(buf_data(&heard.rcpts), SLICE("b@b.example ")));
		assert_int_equal(heard.safe, i);
		pthread_mutex_unlock(&heard.lock);
	}
	assert_int_equal(COUNTED(messages), 2);
	assert_int_equal(COUNTED(recipients), 2);
	assert_int_equal(submission(&b, offsetof(struct smtpd_counters, messages)), 0);
	close(fd);
	parrot_box_remove(&b);
}

static void a_refused_message_is_forgotten_and_the_session_goes_on(void **state)
{
	struct box b;
	int fd;

	(void)state;
	parrot_box(&b);
	fd = talk_greeted(PARROT, NULL);
	talk_say(fd, "MAIL FROM:<>\r\nRCPT TO:<b@b.example>\r\nRCPT TO:<c@b.example>\r\nDATA\r\n");
	(void)talk_hear(fd, 4);
	talk_expect(fd, "Subject: x\r\n\r\nx\r\n.\r\n", "554 5.7.0 one nest at a time");
	assert_int_equal(COUNTED(refused), 1);
	assert_int_equal(COUNTED(messages), 0);
	talk_expect(fd, "DATA\r\n", "503 5.5.1 send MAIL first");
	talk_say(fd, "MAIL FROM:<>\r\nRCPT TO:<d@b.example>\r\nDATA\r\n");
	(void)talk_hear(fd, 3);
	talk_expect(fd, "\r\nx\r\n.\r\n", "250 2.0.0");
	pthread_mutex_lock(&heard.lock);
	assert_true(slice_eq(buf_data(&heard.rcpts), SLICE("d@b.example ")));
	pthread_mutex_unlock(&heard.lock);
	close(fd);
	parrot_box_remove(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_services_have_limits_and_counts_of_their_own),
		cmocka_unit_test(keywords_of_a_service_come_behind_those_of_the_server),
		cmocka_unit_test(parameters_of_a_service_belong_to_it_and_to_their_command),
		cmocka_unit_test(a_service_may_refuse_mail_a_sender_and_a_recipient),
		cmocka_unit_test(a_message_is_the_services_with_what_it_put_in_front),
		cmocka_unit_test(a_refused_message_is_forgotten_and_the_session_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
