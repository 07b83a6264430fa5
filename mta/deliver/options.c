/* mta/deliver/options.c - rows of the options of delivering: keys, retries, notices. */
#include "mta/deliver/deliverer.h"

#define AT(member) offsetof(struct deliver_options, member)
static const int64_t year_ms = 366 * 86400000LL;

static const struct option rows[] = {
	{ "keys.dir", T_STR, AT(keys_dir), 0, 1024, "/var/lib/postern/keys", false,
	  "Folder of the DKIM keys; a key is a file <domain>/<selector>.pem." },
	{ "sign.required", T_STR, AT(sign_text), 0, 16, "no", true,
	  "Where mail that no DKIM key signs is refused: no, delivery (it is deferred), or "
	  "submission (and not taken either)." },
	{ "retry.schedule", T_LIST, AT(schedule), 0, 0, "5m, 10m, 20m, 30m, 1h, 2h, 4h", true,
	  "Delays between tries; the last one repeats." },
	{ "retry.jitter", T_INT, AT(jitter), 0, 90, "20", true,
	  "Percentage by which each delay varies at random, up or down." },
	{ "retry.blocked_elsewhere", T_BOOL, AT(blocked_elsewhere), 0, 0, "no", true,
	  "Try a recipient at once from another source of the pool when a reply says that our "
	  "address "
	  "is blocked." },
	{ "bounce.messages", T_BOOL, AT(bounce_messages), 0, 0, "yes", true,
	  "Send a notice of each failure to the sender of submitted mail (RFC 3464)." },
	{ "bounce.return_size", T_SIZE, AT(bounce_size), 0, 30 * 1024 * 1024, "1M", true,
	  "Largest message that goes back whole where its sender asks for that (RET=FULL)." },
	{ "deliver.delay_warning", T_DURATION, AT(delay_warning), 0, 366 * 86400000LL, "0", true,
	  "Tell the sender of submitted mail once when it is not delivered after so long, unless "
	  "its "
	  "NOTIFY says otherwise (RFC 3461); 0: never." },
};

static const struct {
	const char *suffix;
	int64_t factor;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

static int read_delay(void *options, struct slice s)
{
	struct deliver_options *o = options;
	size_t digits = 0;
	uint64_t v;

	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	if (o->n_retries == RETRIES_MAX ||
	    slice_u64(slice_of(s.p, digits), (uint64_t)year_ms, &v) < 0 || v == 0)
		return E_SYNTAX;
	for (unsigned i = 0; i < ARRAY_LEN(units); i++)
		if (slice_eq(slice_skip(s, digits), slice_str(units[i].suffix))) {
			o->retries[o->n_retries++] = MIN_OF((int64_t)v * units[i].factor, year_ms);
			return 0;
		}
	return E_SYNTAX;
}

static int read_required(struct deliver_options *o, struct option_fault *f)
{
	static const char *const words[] = { [SIGN_WHEN_POSSIBLE] = "no",
					     [SIGN_OR_DEFER] = "delivery",
					     [SIGN_OR_REFUSE] = "submission" };

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(o->sign_text, words[i]) == 0) {
			o->sign = (enum sign_required)i;
			return 0;
		}
	return option_bad(f, "sign.required", slice_str(o->sign_text),
			  "no, delivery or submission");
}

static int derive(void *options, const struct settings *all, struct option_fault *f)
{
	struct deliver_options *o = options;
	int r = option_entries(f, "retry.schedule", o->schedule,
			       "a duration such as 10m (the list may have 64)", read_delay, o);

	(void)all;
	if (r == 0 && !o->n_retries)
		r = option_bad(f, "retry.schedule", SLICE(""), "a list of at least one duration");
	return r < 0 ? r : read_required(o, f);
}

const struct option_set deliver_option_set = {
	.rows = rows,
	.n = ARRAY_LEN(rows),
	.size = sizeof(struct deliver_options),
	.derive = derive,
};

int64_t deliver_retry_ms(const struct deliver_options *o, unsigned attempts)
{
	unsigned i = attempts ? attempts - 1 : 0;

	return o->retries[MIN_OF(i, o->n_retries - 1)];
}
