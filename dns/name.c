/* dns/name.c - domain names, text and wire form. */
#include "dns/name.h"

enum { LABEL_MAX = 63, TEXT_MAX = DNS_NAME_MAX - 1 };

static bool is_label_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

int name_clean(struct slice s, char *ret)
{
	size_t label = 0;

	if (s.n && s.p[s.n - 1] == '.')
		s.n--;
	if (s.n == 0 || s.n > TEXT_MAX)
		return E_SYNTAX;
	for (size_t i = 0; i < s.n; i++) {
		char c = ascii_lower(s.p[i]);

		if (c == '.' ? label == 0 : (!is_label_byte(c) || label == LABEL_MAX))
			return E_SYNTAX;
		label = c == '.' ? 0 : label + 1;
		ret[i] = c;
	}
	if (label == 0)
		return E_SYNTAX;
	ret[s.n] = '\0';
	return (int)s.n;
}

int name_from_wire(const uint8_t *wire, size_t n, char *ret)
{
	size_t out = 0;

	for (size_t i = 0; i < n && wire[i] != 0;) {
		size_t label = wire[i++];

		if (label > LABEL_MAX || label > n - i || out + label + 1 > TEXT_MAX)
			return E_SYNTAX;
		if (out)
			ret[out++] = '.';
		for (; label > 0; label--, i++) {
			ret[out] = ascii_lower((char)wire[i]);
			if (!is_label_byte(ret[out++]))
				return E_SYNTAX;
		}
	}
	ret[out] = '\0';
	return (int)out;
}

size_t name_to_wire(struct slice clean, uint8_t *out)
{
	size_t length_at = 0;

	for (size_t i = 0; i < clean.n; i++) {
		if (clean.p[i] != '.') {
			out[i + 1] = (uint8_t)clean.p[i];
			continue;
		}
		out[length_at] = (uint8_t)(i - length_at);
		length_at = i + 1;
	}
	out[length_at] = (uint8_t)(clean.n - length_at);
	out[clean.n + 1] = 0;
	return clean.n + 2;
}
