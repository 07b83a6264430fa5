/* control/http/accept.c - lists with weights. */
#include "control/http/accept.h"

bool accept_next(struct slice *rest, struct slice *ret_name, int *ret_weight)
{
	struct slice element, q;
	size_t end = 0;

	if (!rest->n)
		return false;
	while (end < rest->n && rest->p[end] != ',')
		end++;
	element = slice_of(rest->p, end);
	*rest = slice_skip(*rest, MIN_OF(end + 1, rest->n));
	for (end = 0; end < element.n && element.p[end] != ';'; end++)
		;
	*ret_name = slice_trim(slice_of(element.p, end));
	*ret_weight = 1000;
	for (q = slice_skip(element, end); q.n >= 3; q = slice_skip(q, 1))
		if (slice_starts_nocase(q, SLICE("q=0"))) {
			int digits = 100;

			*ret_weight = 0;
			for (size_t i = 4; i < q.n && digits && q.p[i] >= '0' && q.p[i] <= '9';
			     i++) {
				*ret_weight += (q.p[i] - '0') * digits;
				digits /= 10;
			}
			break;
		}
	return true;
}

bool accept_gzip(struct slice field)
{
	struct slice coding;
	bool any = false;
	int weight;

	while (accept_next(&field, &coding, &weight)) {
		if (slice_eq_nocase(coding, SLICE("gzip")))
			return weight > 0;
		if (slice_eq(coding, SLICE("*")))
			any = weight > 0;
	}
	return any;
}
