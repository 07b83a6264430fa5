/* tests/sim/peer_sim.c - the peer behind a simulated conn: one function per word of the script. */
#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "tests/sim/conn_sim_int.h"

enum { OUTBOX_ENOUGH = 32 * 1024 };

static void send_line(struct sim_peer *p, struct slice s)
{
	buf_put(&p->outbox, s);
	buf_put(&p->outbox, SLICE("\r\n"));
}

static bool wait_ms(struct sim_peer *p, int64_t ms)
{
	p->wake_ms = clock_mono_ms() + ms;
	return false;
}

bool sim_take_line(struct sim_peer *p, struct buf *ret)
{
	struct slice s = buf_data(&p->inbox);
	const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
	size_t n;

	if (!end)
		return false;
	n = (size_t)(end + 1 - s.p);
	buf_clear(ret);
	buf_put(ret, slice_of(s.p, n));
	buf_consume(&p->inbox, n);
	return true;
}

/* ---- words ------------------------------------------------------------------------------- */

static bool run_nothing(struct sim_peer *p, const struct sim_line *l)
{
	(void)p;
	(void)l;
	return true;
}
static bool run_say(struct sim_peer *p, const struct sim_line *l)
{
	send_line(p, buf_data(&l->text));
	return true;
}
static bool run_raw(struct sim_peer *p, const struct sim_line *l)
{
	buf_put(&p->outbox, buf_data(&l->text));
	return true;
}
static bool run_drip(struct sim_peer *p, const struct sim_line *l)
{
	struct slice s = buf_data(&l->text);

	if (p->done == s.n + 2)
		return true;
	buf_put(&p->outbox,
		p->done < s.n ? slice_of(s.p + p->done, 1) : slice_of(&"\r\n"[p->done - s.n], 1));
	p->done++;
	return wait_ms(p, l->number);
}
static bool run_flood(struct sim_peer *p, const struct sim_line *l)
{
	while (buf_len(&p->outbox) < OUTBOX_ENOUGH && p->done < (size_t)l->number) {
		send_line(p, buf_data(&l->text));
		p->done++;
	}
	return p->done == (size_t)l->number;
}
static bool run_forever(struct sim_peer *p, const struct sim_line *l)
{
	while (buf_len(&p->outbox) < OUTBOX_ENOUGH)
		send_line(p, buf_data(&l->text));
	return false;
}
static bool run_fill(struct sim_peer *p, const struct sim_line *l)
{
	struct slice s = buf_data(&l->text);

	while (buf_len(&p->outbox) < OUTBOX_ENOUGH && p->done < (size_t)l->number) {
		buf_put(&p->outbox, slice_of(s.p + p->done % s.n, 1));
		p->done++;
	}
	return p->done == (size_t)l->number;
}
static bool run_garbage(struct sim_peer *p, const struct sim_line *l)
{
	uint64_t x = 88172645463325252ULL;

	for (int64_t i = 0; i < l->number; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		buf_put(&p->outbox, slice_of((char[]){ (char)(x >> 56) }, 1));
	}
	return true;
}
static bool run_expect(struct sim_peer *p, const struct sim_line *l)
{
	struct buf line = { 0 };
	struct slice want = buf_data(&l->text), got;

	if (!sim_take_line(p, &line))
		return false;
	got = buf_data(&line);
	if (got.n < want.n + 1 || (want.n && memcmp(got.p, want.p, want.n)) ||
	    got.p[got.n - 2] != '\r')
		sim_mistake("line %u: expected \"%.*s\", got \"%.*s\"", p->line + 1, (int)want.n,
			    want.p, (int)got.n - 2, got.p);
	buf_free(&line);
	return true;
}

/* Moves input to the body up to its dot line; true when that is there. */
bool sim_take_body(struct sim_peer *p)
{
	struct slice s = buf_data(&p->inbox);
	size_t from = buf_len(&p->body) > 4 ? buf_len(&p->body) - 4 : 0;
	struct slice all;
	char *end;

	buf_put(&p->body, s);
	buf_clear(&p->inbox);
	all = buf_data(&p->body);
	if (all.n >= 3 && !memcmp(all.p, ".\r\n", 3))
		end = p->body.p + p->body.start;
	else
		end = all.n > from ? memmem(all.p + from, all.n - from, "\r\n.\r\n", 5) : NULL;
	if (!end)
		return false;
	if (*end == '\r')
		end += 2;
	/* What follows the dot is given back: it is the next command. */
	buf_put(&p->inbox, slice_of(end + 3, (size_t)(all.p + all.n - end - 3)));
	p->body.end = (size_t)(end - p->body.p);
	sim_message(p->conn, buf_data(&p->body));
	buf_clear(&p->body);
	p->messages++;
	return true;
}
static bool run_body(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	if (!sim_take_body(p))
		return false;
	if (!conn_sim_message(conn_sim_messages() - 1).n)
		sim_mistake("line %u: the message is empty", p->line + 1);
	return true;
}

/* "BDAT n [LAST]" */
static bool begin_chunk(struct sim_peer *p, const char *line)
{
	struct slice rest = slice_trim_set(slice_str(line), " \r\n"), word = slice_take(&rest, ' ');

	if (!slice_eq(word, SLICE("BDAT")) ||
	    slice_u64(slice_take(&rest, ' '), UINT32_MAX, &p->chunk) < 0)
		return false;
	p->last_chunk = slice_eq(rest, SLICE("LAST"));
	p->in_chunk = true;
	return true;
}

/* True when all of it is here. */
static bool take_chunk(struct sim_peer *p)
{
	size_t n = MIN_OF((size_t)p->chunk, buf_len(&p->inbox));

	buf_put(&p->body, slice_of(buf_data(&p->inbox).p, n));
	buf_consume(&p->inbox, n);
	p->chunk -= n;
	if (p->chunk)
		return false;
	p->in_chunk = false;
	return true;
}

static void end_message(struct sim_peer *p, bool keep)
{
	if (keep) {
		sim_message_raw(p->conn, buf_data(&p->body));
		p->messages++;
	}
	buf_clear(&p->body);
}

static bool run_chunk(struct sim_peer *p, const struct sim_line *l)
{
	struct buf line = { 0 };

	(void)l;
	if (!p->in_chunk) {
		if (!sim_take_line(p, &line))
			return false;
		if (!begin_chunk(p, buf_cstr(&line)))
			sim_mistake("line %u: expected BDAT, got \"%s\"", p->line + 1,
				    buf_cstr(&line));
		buf_free(&line);
	}
	if (!take_chunk(p))
		return false;
	if (p->last_chunk)
		end_message(p, true);
	return true;
}
static bool run_take(struct sim_peer *p, const struct sim_line *l)
{
	size_t n = MIN_OF((size_t)l->number - p->done, buf_len(&p->inbox));

	buf_consume(&p->inbox, n);
	p->done += n;
	return p->done == (size_t)l->number;
}
static bool run_dot(struct sim_peer *p, const struct sim_line *l)
{
	struct buf line = { 0 };

	(void)l;
	if (!sim_take_line(p, &line))
		return false;
	if (!slice_eq(buf_data(&line), SLICE(".\r\n")))
		sim_mistake("line %u: expected a lone dot, got \"%s\"", p->line + 1,
			    buf_cstr(&line));
	buf_free(&line);
	return true;
}
static bool run_delay(struct sim_peer *p, const struct sim_line *l)
{
	return p->done++ ? true : wait_ms(p, l->number);
}
static bool run_close(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->fin = true;
	return false;
}
static bool run_half_close(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->fin = true;
	return true;
}
static bool run_rst(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->reset = true;
	return false;
}
static bool run_hang(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->hang = true;
	return false;
}
static bool run_break(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->broken = true;
	return true;
}
static bool run_silent(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	buf_clear(&p->inbox);
	return false;
}
static bool run_slow(struct sim_peer *p, const struct sim_line *l)
{
	p->slow_bytes = l->number;
	p->slow_ms = l->number2;
	return true;
}
static bool run_tls(struct sim_peer *p, const struct sim_line *l)
{
	(void)slice_copy(p->cert, sizeof(p->cert), buf_data(&l->text));
	p->tls = SIM_TLS_OK;
	return true;
}
static bool run_tls_fail(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->tls = SIM_TLS_BROKEN;
	return false;
}
static bool run_mark(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->mark = p->line;
	return true;
}
static bool run_again(struct sim_peer *p, const struct sim_line *l)
{
	(void)l;
	p->line = p->mark;
	return true;
}
static bool run_alone(struct sim_peer *p, const struct sim_line *l)
{
	p->alone = l;
	return true;
}
static bool run_reply(struct sim_peer *p, const struct sim_line *l)
{
	struct slice s = buf_data(&l->text);
	unsigned i = 0;

	while (i < SIM_REPLIES - 1 && p->replies[i].line &&
	       strncmp(p->replies[i].verb, s.p, strlen(p->replies[i].verb)) != 0)
		i++;
	(void)slice_copy(p->replies[i].verb, 5, s);
	for (char *c = p->replies[i].verb; *c; c++)
		if (*c == ' ')
			*c = '\0';
	p->replies[i].line = l;
	return true;
}

static void answer(struct sim_peer *p, const char *verb, const char *usual)
{
	for (unsigned i = 0; i < SIM_REPLIES && p->replies[i].line; i++) {
		struct slice s = buf_data(&p->replies[i].line->text);
		size_t skip = strlen(verb) + 1;

		if (!strcmp(p->replies[i].verb, verb) && s.n > skip) {
			send_line(p, slice_skip(s, skip));
			return;
		}
	}
	send_line(p, slice_str(usual));
}

static const struct {
	const char *verb, *usual;
} served[] = {
	{ "EHLO", "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n"
		  "250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES" },
	{ "HELO", "250 mx.test" },
	{ "MAIL", "250 2.1.0 ok" },
	{ "RCPT", "250 2.1.5 ok" },
	{ "DATA", "354 go on" },
	{ "RSET", "250 2.0.0 ok" },
	{ "BDAT", "250 2.0.0 taken" },
	{ "QUIT", "221 2.0.0 bye" },
};

static void serve_chunk(struct sim_peer *p, const char *line)
{
	size_t before = buf_len(&p->outbox);
	const char *said;

	answer(p, "BDAT", "250 2.0.0 taken");
	said = buf_data(&p->outbox).p + before;
	if (!strncmp(said, "500", 3) || !strncmp(said, "502", 3) || !begin_chunk(p, line))
		return;
	p->drops_chunk = *said != '2';
	buf_put(&p->late, buf_data(&p->outbox)); /* it is said when the chunk is here */
	buf_clear(&p->outbox);
}

/* True when the peer is to hang up. */
static bool serve_line(struct sim_peer *p, const char *line)
{
	for (size_t i = 0; i < ARRAY_LEN(served); i++) {
		if (strncmp(line, served[i].verb, 4) != 0)
			continue;
		size_t before = buf_len(&p->outbox);

		if (!strcmp(served[i].verb, "BDAT")) {
			serve_chunk(p, line);
			return false;
		}
		answer(p, served[i].verb, served[i].usual);
		p->in_body = i == 4 && buf_data(&p->outbox).p[before] == '3';
		return i == 6;
	}
	send_line(p, SLICE("500 5.5.2 what?"));
	return false;
}
/* What came behind the command at hand.  True when the peer is to hang up. */
static bool serve_group(struct sim_peer *p)
{
	struct slice what = buf_data(&p->alone->text);
	struct buf line = { 0 };

	if (slice_eq(what, SLICE("close")))
		return true;
	if (slice_eq(what, SLICE("drop-after")))
		return false;
	if (slice_eq(what, SLICE("drop")))
		buf_clear(&p->inbox);
	while (sim_take_line(p, &line))
		send_line(p, what);
	buf_free(&line);
	return false;
}
static bool run_serve(struct sim_peer *p, const struct sim_line *l)
{
	uint64_t most = 0;

	if (slice_u64(buf_data(&l->text), UINT32_MAX, &most) < 0)
		most = 0;
	for (;;) {
		if (most && p->messages >= most)
			return true;
		if (p->in_chunk) {
			if (!take_chunk(p))
				return false;
			if (p->last_chunk)
				end_message(p, !p->drops_chunk);
			if (p->alone && slice_eq(buf_data(&p->alone->text), SLICE("drop-after")))
				buf_clear(&p->inbox);
			buf_put(&p->outbox, buf_data(&p->late));
			buf_clear(&p->late);
		}
		if (p->in_body) {
			if (!sim_take_body(p))
				return false;
			p->in_body = false;
			if (p->alone && slice_eq(buf_data(&p->alone->text), SLICE("drop-after")))
				buf_clear(&p->inbox);
			answer(p, "DOT", "250 2.0.0 taken");
			continue;
		}
		if (!sim_take_line(p, &p->command))
			return false;
		bool grouped = p->alone && buf_len(&p->inbox);
		if (serve_line(p, buf_cstr(&p->command)) || (grouped && serve_group(p))) {
			p->fin = true;
			return false;
		}
	}
}

static const struct sim_word words[] = {
	{ "refuse", 0, run_nothing },  { "no-connect", 0, run_nothing },
	{ "say", 0, run_say },         { "raw", 0, run_raw },
	{ "drip", 1, run_drip },       { "flood", 1, run_flood },
	{ "forever", 0, run_forever }, { "fill", 1, run_fill },
	{ "garbage", 1, run_garbage }, { "expect", 0, run_expect },
	{ "body", 0, run_body },       { "take", 1, run_take },
	{ "dot", 0, run_dot },         { "delay", 1, run_delay },
	{ "close", 0, run_close },     { "half-close", 0, run_half_close },
	{ "rst", 0, run_rst },         { "hang", 0, run_hang },
	{ "silent", 0, run_silent },   { "slow", 2, run_slow },
	{ "tls", 0, run_tls },         { "tls-fail", 0, run_tls_fail },
	{ "reply", 0, run_reply },     { "serve", 0, run_serve },
	{ "mark", 0, run_mark },       { "again", 0, run_again },
	{ "chunk", 0, run_chunk },     { "break", 0, run_break },
	{ "alone", 0, run_alone },     { "model", 0, sim_model_run },
};

void sim_peer_run(struct sim_peer *p)
{
	while (p->line < p->host->n_lines && !p->fin && !p->reset) {
		const struct sim_line *l = &p->host->lines[p->line];

		if (p->wake_ms > clock_mono_ms())
			return;
		p->wake_ms = 0;
		if (!l->word->run(p, l))
			return;
		p->line++;
		p->done = 0;
	}
	/* Past its last line a peer only listens. */
	if (p->line >= p->host->n_lines)
		buf_clear(&p->inbox);
}

void sim_peer_free(struct sim_peer *p)
{
	buf_free(&p->inbox);
	buf_free(&p->outbox);
	buf_free(&p->body);
	buf_free(&p->late);
	buf_free(&p->command);
}

/* ---- parsing ----------------------------------------------------------------------------- */

static size_t put_escape(struct buf *out, struct slice s)
{
	static const char from[] = "rnt0e\\", to[] = "\r\n\t\0\033\\";
	const char *p = s.n > 1 ? strchr(from, s.p[1]) : NULL;

	if (s.n >= 4 && s.p[1] == 'x' && hex_decode(out, slice_of(s.p + 2, 2)) == 0)
		return 4;
	if (!p || !*p) {
		buf_put(out, slice_of(s.p, 1));
		return 1;
	}
	buf_put(out, slice_of(to + (p - from), 1));
	return 2;
}

static int parse_line(struct sim_line *l, struct slice s)
{
	struct slice word = slice_take(&s, ' ');

	*l = (struct sim_line){ 0 };
	for (size_t i = 0; i < ARRAY_LEN(words) && !l->word; i++)
		if (slice_eq(word, slice_str(words[i].name)))
			l->word = &words[i];
	if (!l->word)
		return E_SYNTAX;
	for (int i = 0; i < l->word->numbers; i++) {
		uint64_t n;

		if (slice_u64(slice_take(&s, ' '), INT64_MAX, &n) < 0)
			return E_SYNTAX;
		*(i ? &l->number2 : &l->number) = (int64_t)n;
	}
	for (size_t i = 0; i < s.n;) {
		if (s.p[i] == '\\')
			i += put_escape(&l->text, slice_skip(s, i));
		else
			buf_put(&l->text, slice_of(s.p + i++, 1));
	}
	return 0;
}

int sim_script_parse(struct sim_host *host, struct slice script)
{
	while (script.n) {
		struct slice s = slice_take(&script, '\n');

		while (s.n && (*s.p == ' ' || *s.p == '\t'))
			s = slice_skip(s, 1);
		if (!s.n || *s.p == '#')
			continue;
		host->lines = must_resize(host->lines, (host->n_lines + 1) * sizeof(*host->lines));
		if (parse_line(&host->lines[host->n_lines++], s) < 0) {
			sim_mistake("script: \"%.*s\" is no line of a script", (int)s.n, s.p);
			return E_SYNTAX;
		}
	}
	return 0;
}

void sim_script_free(struct sim_host *host)
{
	while (host->n_lines)
		buf_free(&host->lines[--host->n_lines].text);
	free(host->lines);
	host->lines = NULL;
}
