/* dns/mxset.c - makes one name of a set of host names. */
#include "dns/mxset.h"

#include <stdio.h>

#include "base/hash.h"

enum { PLAIN_HOSTS = 3, TEXT_MAX = DNS_NAME_MAX - 1, HASH_TEXT = 17 };

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The number of bytes at the end that both have in common, in whole labels. */
static size_t common_suffix(const char *a, const char *b, size_t limit)
{
	size_t na = strlen(a), nb = strlen(b), i = 0, whole = 0;

	while (i < na && i < nb && i < limit && a[na - 1 - i] == b[nb - 1 - i]) {
		i++;
		bool a_label = i == na || a[na - 1 - i] == '.';
		bool b_label = i == nb || b[nb - 1 - i] == '.';
		if (a_label && b_label)
			whole = i;
	}
	return whole;
}

static size_t suffix_of_all(const char **names, unsigned n)
{
	size_t suffix = strlen(names[0]);

	for (unsigned i = 1; i < n; i++)
		suffix = common_suffix(names[0], names[i], suffix);
	return suffix;
}

static void write_names(const char **names, unsigned n, size_t suffix, struct buf *out)
{
	for (unsigned i = 0; i < n; i++) {
		size_t length = strlen(names[i]) - suffix;

		if (i)
			buf_put(out, suffix ? SLICE("|") : SLICE(","));
		if (suffix && length) /* its dot stands once, after the bracket */
			length--;
		buf_put(out, slice_of(names[i], length));
	}
}

void mxset_name(const char **names, unsigned n, char *ret)
{
	size_t suffix = 0, length;
	struct buf text;

	buf_init(&text, 0);
	qsort(names, n, sizeof(*names), by_text);
	if (n > PLAIN_HOSTS)
		suffix = suffix_of_all(names, n);
	if (suffix)
		buf_put(&text, SLICE("("));
	write_names(names, n, suffix, &text);
	if (suffix)
		buf_putf(&text, ").%s", names[0] + strlen(names[0]) - suffix);
	length = slice_copy(ret, DNS_NAME_MAX, buf_data(&text));
	if (length < buf_len(&text))
		(void)snprintf(ret + TEXT_MAX - HASH_TEXT, HASH_TEXT + 1, "#%016llx",
			       (unsigned long long)hash_stable(buf_data(&text)));
	buf_free(&text);
}
