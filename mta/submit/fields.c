/* mta/submit/fields.c - the X-Postern- fields of a message. */
#include "mta/submit/fields.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/encode.h"
#include "base/hash.h"
#include "message/header.h"
#include "mta/submit/metadata.h"
#include "mta/submit/when.h"

enum { WORD_MAX = 64 };

static bool is_word(struct slice s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' &&
		    c != '.')
			return false;
	}
	return s.n && s.n <= WORD_MAX;
}

static bool is_text(struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
			return false;
	return s.n && s.n <= FIELDS_TAG_MAX && utf8_valid(s);
}

static bool is_answer(struct slice s)
{
	return slice_eq_nocase(s, SLICE("yes")) || slice_eq_nocase(s, SLICE("no"));
}

static bool is_moment(struct slice s)
{
	int64_t at;

	return when_parse(s, &at) == 0;
}

/* clang-format off: a table */
static const struct field_row {
	struct slice name;
	size_t at; /* in struct submit_asked */
	bool (*is)(struct slice value);
	const char *expected;
} rows[] = {
	{ SLICE("X-Postern-Stream"), offsetof(struct submit_asked, stream), is_word, "a word" },
	{ SLICE("X-Postern-Campaign"), offsetof(struct submit_asked, campaign), is_word, "a word" },
	{ SLICE("X-Postern-Pool"), offsetof(struct submit_asked, pool), is_word, "a word" },
	{ SLICE("X-Postern-Engaged"), offsetof(struct submit_asked, engaged), is_answer,
	  "yes or no" },
	{ SLICE("X-Postern-Tag"), offsetof(struct submit_asked, tag), is_text,
	  "text of at most 128 bytes" },
	{ SLICE("X-Postern-Metadata"), offsetof(struct submit_asked, metadata), metadata_is_good,
	  "a flat JSON object" },
	{ SLICE("X-Postern-Send-At"), offsetof(struct submit_asked, send_at), is_moment,
	  "a date and time as 2026-11-27T08:00:00Z" },
};
/* clang-format on */

static struct slice refuse(struct submit_lane *on, struct slice name, const char *why,
			   const char *what)
{
	int n = snprintf(on->reply, sizeof(on->reply), "554 5.6.0 %.*s %s%s\r\n", (int)name.n,
			 name.p, why, what);

	return slice_of(on->reply, (size_t)n);
}

static const struct field_row *find_row(struct slice name)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (slice_eq_nocase(name, rows[i].name))
			return &rows[i];
	return NULL;
}

/* The value in one line, in `out`. */
static struct slice unfold(struct slice value, struct buf *out)
{
	size_t start = buf_len(out);

	for (size_t i = 0; i < value.n; i++)
		if (value.p[i] != '\r' && value.p[i] != '\n')
			buf_put(out, slice_of(value.p + i, 1));
	return slice_trim(slice_skip(buf_data(out), start));
}

/* The buf gets room for all values with the first: slices into it stay good. */
enum { VALUES_MAX = ARRAY_LEN(rows) * (2 * FIELDS_METADATA_MAX + 1) };

static struct slice take_field(struct submit_lane *on, const struct field_row *row,
			       struct slice value, struct submit_asked *ret)
{
	struct slice *to = (struct slice *)(void *)((char *)ret + row->at);

	if (to->p)
		return refuse(on, row->name, "stands there more than once", "");
	if (value.n > 2 * FIELDS_METADATA_MAX) /* its folds count */
		return refuse(on, row->name, "is too long", "");
	if (buf_reserve(&on->field_values, VALUES_MAX - buf_len(&on->field_values)) < 0)
		return SLICE("452 4.3.1 no memory for the message, try again later\r\n");
	*to = unfold(value, &on->field_values);
	if (to->n > FIELDS_METADATA_MAX)
		return refuse(on, row->name, "is too long", "");
	if (!row->is(*to))
		return refuse(on, row->name, "must hold ", row->expected);
	return SMTPD_GO_ON;
}

/* A field for us that nobody here knows is a slip of the pen, and what it was to say would not be
 * done.  Those that mail of ours carries on its way come back with it. */
static struct slice check_unknown(struct submit_lane *on, struct slice name)
{
	static const char prefix[] = "X-Postern-";

	if (!slice_starts_nocase(name, slice_str(prefix)) ||
	    slice_eq_nocase(name, SLICE("X-Postern-Ref")) ||
	    slice_eq_nocase(name, SLICE("X-Postern-Forwarded")))
		return SMTPD_GO_ON;
	return refuse(on, slice_of(name.p, MIN_OF(name.n, (size_t)64)), "is no field known here",
		      "");
}

/* What is left moves together. */
struct slice submit_fields_take(struct submit_lane *on, struct smtpd_mail *m,
				struct submit_asked *ret)
{
	char *begin = m->message.p + m->message.start + m->own_n, *to = begin;
	struct slice came = slice_of(begin, buf_len(&m->message) - m->own_n), refusal;
	struct header_field f;
	size_t pos = 0, gone = 0;

	*ret = (struct submit_asked){ 0 };
	buf_clear(&on->field_values);
	while (header_next(came, &pos, &f) > 0) {
		const struct field_row *row =
		    f.name.n > 10 && ascii_lower(f.name.p[0]) == 'x' ? find_row(f.name) : NULL;

		refusal = row ? take_field(on, row, f.value, ret) : check_unknown(on, f.name);
		if (refusal.n)
			return refusal;
		if (gone && !row)
			memmove(to, f.whole.p, f.whole.n);
		gone += row ? f.whole.n : 0;
		to += row ? 0 : f.whole.n;
	}
	if (!gone)
		return SMTPD_GO_ON;
	memmove(to, to + gone, came.n - (size_t)(to + gone - begin));
	m->message.end -= gone;
	return SMTPD_GO_ON;
}

/* ---- may it? ----------------------------------------------------------------------------- */

static struct slice check_pool(struct submit_lane *on, const struct credential *cred,
			       const struct known_sender *who, struct submit_asked *asked)
{
	struct slice first = cred ? cred->pools : slice_of("", 0);

	if (!asked->pool.n) {
		asked->pool = first.n ? slice_take(&first, ',') : slice_str(who->pool);
		return SMTPD_GO_ON;
	}
	if ((cred && credential_names_pool(cred, asked->pool)) ||
	    slice_eq(asked->pool, slice_str(who->pool)))
		return SMTPD_GO_ON;
	return refuse(on, SLICE("X-Postern-Pool"), "names a pool that is not yours", "");
}

static struct slice check_stream(struct submit_lane *on, const struct credential *cred,
				 struct submit_asked *asked)
{
	if (!cred || !cred->stream.n)
		return SMTPD_GO_ON;
	if (asked->stream.n && !slice_eq_nocase(asked->stream, cred->stream))
		return refuse(on, SLICE("X-Postern-Stream"), "names a stream that is not yours",
			      "");
	asked->stream = cred->stream;
	return SMTPD_GO_ON;
}

static struct slice check_moment(struct submit_lane *on, struct submit_asked *asked)
{
	int64_t now = clock_wall_ms();

	if (!asked->send_at.n || when_parse(asked->send_at, &asked->not_before_ms) < 0)
		return SMTPD_GO_ON;
	if (asked->not_before_ms > now + on->options->hold_max)
		return refuse(on, SLICE("X-Postern-Send-At"),
			      "is later than this host holds mail (submission.hold_max)", "");
	return SMTPD_GO_ON;
}

struct slice submit_fields_check(struct submit_lane *on, const struct credential *cred,
				 const struct known_sender *who, struct submit_asked *asked)
{
	struct slice refusal = check_pool(on, cred, who, asked);

	if (!refusal.n)
		refusal = check_stream(on, cred, asked);
	return refusal.n ? refusal : check_moment(on, asked);
}

/* Numbers of the control plane are below 2^62. */
uint64_t submit_fields_campaign(uint64_t tenant, struct slice name)
{
	char text[WORD_MAX + 32];
	int n = snprintf(text, sizeof(text), "%llu/%.*s", (unsigned long long)tenant, (int)name.n,
			 name.p);

	return name.n ? 1ULL << 62 | hash_stable(slice_of(text, (size_t)n)) >> 2 : 0;
}
