/* mta/inspect/tell.c - reasons, and what would release each. */
#include "mta/inspect/tell.h"

#include <stdarg.h>
#include <stdio.h>

/* clang-format off */
static const struct {
	const char *kind, *release;
} releases[] = {
	{ "hold",         "postern release, with the selector that the rule names" },
	{ "in-flight",    "the reply of the host" },
	{ "retry",        "postern retry, with the same argument" },
	{ "dns",          "the next answer; postern flush-dns asks again at once" },
	{ "site-pause",   "its end, or postern retry with the domain" },
	{ "pool-pause",   "its end, or postern retry with the domain" },
	{ "suspension",   "its end and one message that is taken, or postern resume SOURCE WHERE" },
	{ "warmup",       "the next day of its plan, another source in the pool, or postern warmup set or resume" },
	{ "adaptive",     "deliveries, or postern adaptive forget SITE" },
	{ "fallback",     "a source of its own pool that can be used again" },
	{ "rate",         "time, or postern shape set SECTION KEY=VALUE" },
	{ "connections",  "a connection that ends, or a higher limit (postern shape set)" },
	{ "source-failed", "the next look at the address; postern sources" },
	{ "no-source",    "a source in egress.sources, or postern move to another pool" },
	{ "tenant",       "its end; postern rules says which rule" },
	{ "tenant-rate",  "time, or a higher limit (postern shape set, postern tenant limit)" },
	{ "tenant-connections", "a connection with its mail that ends, or a higher limit (postern "
				"shape set, postern tenant limit)" },
	{ "source-rate",  "time, or a higher limit (postern shape set)" },
	{ "next",         "its turn" },
	{ "cap",          "its share in time; postern orders undo takes the cap back" },
	{ "route",        "postern route list and postern route test NAME show more" },
	{ "more",         "postern queue --by site, then postern why site/NAME" },
};
/* clang-format on */

static const char *release_of(const char *kind)
{
	for (size_t i = 0; i < ARRAY_LEN(releases); i++)
		if (strcmp(releases[i].kind, kind) == 0)
			return releases[i].release;
	return "";
}

void tell(struct teller *t, const char *kind, int64_t until_ms, const char *format, ...)
{
	struct why_reason r = { .kind = kind,
				.until_ms = until_ms,
				.since_ms = t->since_ms,
				.release = release_of(kind) };
	va_list ap;

	t->since_ms = 0;
	if (t->stop < 0)
		return;
	va_start(ap, format);
	(void)vsnprintf(r.text, sizeof(r.text), format, ap);
	va_end(ap);
	t->n++;
	t->stop = t->each(t->arg, &r);
}
