/* tests/fuzz/control/origin_fuzz.c - origins of web pages.
 * Laws: its parts, put together, are the origin that was taken, byte by byte, so that no two
 *       spellings of one are taken; nothing that follows it makes it another origin (a path, a
 *       port that its scheme has, a user in front of the host); it fits into a header, into JSON
 *       and into its bound; http is taken of this machine only. */
#include <stdio.h>

#include "control/http/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refused(const struct origin *o, const char *before, const char *behind)
{
	char text[2 * ORIGIN_MAX];
	struct origin parts;
	int n = snprintf(text, sizeof(text), "%.*s://%s%.*s%s", (int)o->scheme.n, o->scheme.p,
			 before, (int)o->host.n, o->host.p, behind);

	if (!origin_parse(slice_of(text, (size_t)n), &parts))
		abort();
}

static void check_together(struct slice s, const struct origin *o)
{
	char text[ORIGIN_MAX + 32];
	int n = snprintf(text, sizeof(text), "%.*s://%.*s", (int)o->scheme.n, o->scheme.p,
			 (int)o->host.n, o->host.p);

	if (o->port)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ":%u", o->port);
	if (!slice_eq(s, slice_of(text, (size_t)n)))
		abort();
}

static bool is_here(struct slice host)
{
	return slice_eq(host, SLICE("localhost")) || slice_eq(host, SLICE("[::1]")) ||
	       slice_starts_nocase(host, SLICE("127.")) ||
	       slice_starts_nocase(host, SLICE("[::ffff:127.")) ||
	       slice_starts_nocase(host, SLICE("[::ffff:7f"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct origin o;

	if (origin_parse(s, &o))
		return 0;
	if (size > ORIGIN_MAX)
		abort();
	for (size_t i = 0; i < size; i++)
		if (!data[i] || !strchr("abcdefghijklmnopqrstuvwxyz0123456789.:/[]-", data[i]))
			abort();
	if (slice_eq(o.scheme, SLICE("http")) && !is_here(o.host))
		abort();
	check_together(s, &o);
	check_refused(&o, "", "/");
	check_refused(&o, "", "?");
	check_refused(&o, "*.", "");
	check_refused(&o, "a@", "");
	check_refused(&o, "", o.scheme.n == 5 ? ":443" : ":80");
	return 0;
}
