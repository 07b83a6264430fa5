/* mta/inspect/tell.c - reasons, and what would release each. */
#include "mta/inspect/tell.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* clang-format off */
static const struct {
	const char *kind, *release;
	bool shared;
} releases[] = {
	{ "hold",         "postern orders undo, or postern release or resume with the selector that the rule names", true },
	{ "move",         "postern orders undo, or postern release with the selector that the order names", true },
	{ "in-flight",    "the reply of the host" },
	{ "retry",        "postern retry, with the same argument" },
	{ "dns",          "the next answer; postern flush-dns asks again at once" },
	{ "site-pause",   "its end, or postern retry with the domain" },
	{ "pool-pause",   "its end, or postern retry with the domain" },
	{ "suspension",   "its end and one message that is taken, or postern resume SOURCE WHERE", true },
	{ "warmup",       "the next day of its plan, another source in the pool, or postern warmup set or resume", true },
	{ "adaptive",     "deliveries, or postern adaptive forget SITE", true },
	{ "fallback",     "a source of its own pool that can be used again" },
	{ "rate",         "time, or postern shape set SECTION KEY=VALUE" },
	{ "connections",  "a connection that ends, or a higher limit (postern shape set)", true },
	{ "source-failed", "the next look at the address; postern sources", true },
	{ "no-source",    "a source in egress.sources, or postern move to another pool" },
	{ "tenant",       "its end; postern rules says which rule", true },
	{ "tenant-rate",  "time, or a higher limit (postern shape set, postern tenant limit)" },
	{ "tenant-connections", "a connection with its mail that ends, or a higher limit (postern "
				"shape set, postern tenant limit)" },
	{ "source-rate",  "time, or a higher limit (postern shape set)" },
	{ "next",         "its turn" },
	{ "cap",          "its share in time; postern orders undo takes the cap back", true },
	{ "route",        "postern route list and postern route test NAME show more" },
	{ "more",         "postern queue --by site, then postern why site/NAME" },
};
/* clang-format on */

static void put_release(struct why_reason *r)
{
	r->release = "";
	for (size_t i = 0; i < ARRAY_LEN(releases); i++)
		if (strcmp(releases[i].kind, r->kind) == 0)
			r->release = releases[i].release;
}

bool why_is_shared(struct slice kind)
{
	for (size_t i = 0; i < ARRAY_LEN(releases); i++)
		if (slice_eq(slice_str(releases[i].kind), kind))
			return releases[i].shared;
	return false;
}

void tell(struct teller *t, const char *kind, int64_t until_ms, const char *format, ...)
{
	struct why_reason r = { .kind = kind, .until_ms = until_ms, .since_ms = t->since_ms };
	va_list ap;

	put_release(&r);
	t->since_ms = 0;
	if (t->stop < 0)
		return;
	va_start(ap, format);
	(void)vsnprintf(r.text, sizeof(r.text), format, ap);
	va_end(ap);
	t->n++;
	t->stop = t->each(t->arg, &r);
}

void tell_cap(struct teller *t, uint64_t order, const char *of)
{
	struct rule_told cap;

	if (!rules_cap_told(t->queue->rules, order, &cap))
		return;
	t->since_ms = cap.since_ms;
	tell(t, "cap", cap.until_ms, "order %" PRIu64 " caps %s: %.300s", order, of, cap.text);
}
