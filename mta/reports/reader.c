/* mta/reports/reader.c - messages in, answers out, in a process that has nothing else. */
#include "mta/reports/reader.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/encode.h"
#include "base/sandbox.h"
#include "message/aggregate/aggregate.h"
#include "message/report/returned.h"

enum { REF_LOOK_MAX = 1024 * 1024, CPU_S = 60, MEMORY = 512 << 20 };

/* ---- what is said ------------------------------------------------------------------------ */

static unsigned late_kind_of(enum returned_kind k)
{
	static const unsigned kinds[RETURNED_KINDS] = {
		[RETURNED_OTHER] = LATE_OTHER,           [RETURNED_DSN] = LATE_DSN,
		[RETURNED_DELAY] = LATE_DELAY,           [RETURNED_ARF] = LATE_COMPLAINT,
		[RETURNED_AUTO_REPLY] = LATE_AUTO_REPLY, [RETURNED_UNSUBSCRIBE] = LATE_UNSUBSCRIBE,
		[RETURNED_DMARC] = LATE_DMARC,           [RETURNED_TLSRPT] = LATE_TLSRPT,
	};

	return kinds[k];
}

static void say_recipient(struct said *s, const struct returned_recipient *to)
{
	if (s->n == SAID_RECIPIENTS_MAX)
		return;
	s->rcpt[s->n++] = (struct said_recipient){
		.address = mailbox_text(to->original.n ? &to->original : &to->box),
		.text = to->text,
		.status = to->status,
		.code = to->code,
		.class = to->class,
		.hard = to->hard,
		.fine = to->action == RETURNED_DELIVERED,
	};
}

static void say_ref(struct said *s, struct slice value)
{
	value = slice_trim_set(value, " \t\r\n<>");
	for (unsigned i = 0; i < s->n_refs; i++)
		if (slice_eq(s->refs[i], value))
			return;
	if (s->n_refs < SAID_REFS_MAX && value.n && value.n < 400)
		s->refs[s->n_refs++] = value;
}

/* Wherever the field stands: among the fields of the returned message, or in text. */
static void say_refs(struct said *s, const struct returned *r, struct slice message)
{
	static const char name[] = "X-Postern-Ref:";
	struct slice rest = slice_of(message.p, MIN_OF(message.n, (size_t)REF_LOOK_MAX));
	const char *at;

	for (unsigned i = 0; i < r->n_extra; i++)
		if (slice_eq_nocase(r->extra[i].name, SLICE("X-Postern-Ref")))
			say_ref(s, r->extra[i].value);
	while (rest.n && (at = memmem(rest.p, rest.n, name, sizeof(name) - 1)) != NULL) {
		rest = slice_skip(rest, (size_t)(at - rest.p) + sizeof(name) - 1);
		struct slice line = rest;
		say_ref(s, slice_take(&line, '\n'));
	}
}

/* The value of the first such field behind a line end, without its type ("dns; "). */
static struct slice field_in(struct slice message, const char *name)
{
	size_t n = strlen(name);
	const char *at = message.n ? memmem(message.p, message.n, name, n) : NULL;
	struct slice rest, line;

	if (!at || (at > message.p && at[-1] != '\n'))
		return slice_of("", 0);
	rest = slice_skip(message, (size_t)(at - message.p) + n);
	line = slice_take(&rest, '\n');
	at = memchr(line.p, ';', line.n);
	return slice_trim_set(at ? slice_skip(line, (size_t)(at + 1 - line.p)) : line, " \t\r");
}

static bool is_plain(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.n < 256;
}

/* The beginning of the message in one line, whole characters only. */
static struct slice excerpt(struct slice message, char *buf)
{
	size_t n = 0, length;

	for (; message.n && n < LATE_EVIDENCE_MAX; message = slice_skip(message, length)) {
		length = utf8_length(message);
		if (n + length > LATE_EVIDENCE_MAX)
			break;
		if (length <= 1) {
			buf[n++] =
			    length && *message.p >= ' ' && *message.p != 0x7f ? *message.p : ' ';
			length = 1;
			continue;
		}
		memcpy(buf + n, message.p, length);
		n += length;
	}
	return slice_of(buf, n);
}

/* A report about a domain is known by its attachment, whatever the mail around it says. */
static void say_aggregate(struct said *s, const struct returned *r, struct buf *json,
			  struct buf *identity)
{
	static const unsigned kinds[] = {
		[AGGREGATE_DMARC] = LATE_DMARC, [AGGREGATE_TLSRPT] = LATE_TLSRPT
	};
	enum aggregate_kind kind = AGGREGATE_NONE;

	if (r->attachment.n && (s->kind == LATE_OTHER || s->kind == LATE_AUTO_REPLY ||
				s->kind == LATE_DMARC || s->kind == LATE_TLSRPT))
		kind = aggregate_read(r->attachment, json, identity);
	if (kind == AGGREGATE_NONE)
		return;
	s->kind = kinds[kind];
	s->report = buf_data(json);
	s->identity = buf_data(identity);
	s->identity.n = MIN_OF(s->identity.n, (size_t)500);
}

int reader_read(const struct judge *j, struct slice message, struct buf *out)
{
	OWNED(returned) r = returned_read(j, message);
	OWNED_MEM struct said *s = must_alloc(sizeof(*s));
	char evidence[LATE_EVIDENCE_MAX];
	struct buf json = { 0 }, identity = { 0 };
	int err;

	s->kind = late_kind_of(r->kind);
	s->host = field_in(message, "Reporting-MTA:");
	if (!is_plain(s->host))
		s->host.n = 0;
	s->evidence = excerpt(message, evidence);
	for (unsigned i = 0; i < r->n; i++)
		say_recipient(s, &r->recipients[i]);
	say_refs(s, r, message);
	say_aggregate(s, r, &json, &identity);
	err = said_put(out, s);
	buf_free(&json);
	buf_free(&identity);
	return err;
}

/* ---- the process ------------------------------------------------------------------------- */

static int read_all(char *p, size_t n)
{
	while (n) {
		ssize_t got = read(STDIN_FILENO, p, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : E_EOF;
		p += got;
		n -= (size_t)got;
	}
	return 0;
}

static int write_all(const char *p, size_t n)
{
	while (n) {
		ssize_t put = write(STDOUT_FILENO, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		p += put;
		n -= (size_t)put;
	}
	return 0;
}

typedef int reading_one(const struct judge *j, struct slice message, struct buf *out);

static int answer(const struct judge *j, reading_one *read_one, struct buf *in, struct buf *out)
{
	uint32_t n;
	int r = read_all((char *)&n, sizeof(n));

	buf_clear(in);
	buf_clear(out);
	if (r < 0 || n > LATE_MAIL_MAX)
		return r < 0 ? r : E_LIMIT;
	r = buf_reserve(in, n + 1UL);
	if (r == 0)
		r = read_all(buf_tail(in), n);
	if (r < 0)
		return r;
	in->end += n;
	buf_put(out, slice_of(&n, sizeof(n))); /* the length, once it is known */
	r = read_one(j, buf_data(in), out);
	n = (uint32_t)(buf_len(out) - sizeof(n));
	memcpy(out->p + out->start, &n, sizeof(n));
	return r == 0 ? write_all(buf_data(out).p, buf_len(out)) : r;
}

int reader_main_with(const char *rules_path, reading_one *read_one)
{
	OWNED(judge) j = NULL;
	char error[JUDGE_ERROR_MAX];
	struct buf in = { 0 }, out = { 0 };
	int r = judge_load(&j, rules_path, false, error);

	if (r == 0) {
		returned_prepare();
		r = sandbox_enter(CPU_S, MEMORY);
	}
	if (r == 0) /* ready: an answer of no bytes */
		r = write_all("\0\0\0", sizeof(uint32_t));
	for (unsigned i = 0; i < READER_MAILS && r == 0; i++)
		r = answer(j, read_one, &in, &out);
	buf_free(&in);
	buf_free(&out);
	_exit(r < 0 && r != E_EOF ? EX_SOFTWARE : EX_OK);
}

int reader_main(const char *rules_path)
{
	return reader_main_with(rules_path, reader_read);
}
