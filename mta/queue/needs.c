/* mta/queue/needs.c - looks for bytes above 127, and for those of them in headers. */
#include "mta/queue/needs.h"

bool needs_8bit(struct slice s)
{
	unsigned char all = 0;

	for (size_t i = 0; i < s.n; i++)
		all |= (unsigned char)s.p[i];
	return all >= 0x80;
}

static struct slice next_line(struct slice *rest)
{
	struct slice line = slice_take(rest, '\n');

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool begins(struct slice s, struct slice with)
{
	return s.n >= with.n && slice_eq_nocase(slice_of(s.p, with.n), with);
}

static bool is_blank(struct slice s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s = slice_skip(s, 1);
	return s.n == 0;
}

/* RFC 2046 section 5.1.1: a boundary does not end in a space, so "-- " is a signature. */
static bool may_be_boundary(struct slice line)
{
	return begins(line, SLICE("--")) && !is_blank(slice_skip(line, 2));
}

static bool names_type(struct slice field, struct slice type)
{
	if (!begins(field, SLICE("Content-Type:")))
		return false;
	field = slice_skip(field, 13);
	while (field.n && (*field.p == ' ' || *field.p == '\t'))
		field = slice_skip(field, 1);
	return begins(field, type);
}

/* The header of the message, then those of its parts and of messages in it. */
static bool has_8bit_header(struct slice message)
{
	bool in_header = true, parts = false, inner = false;
	struct slice rest = message;

	while (rest.n) {
		struct slice line = next_line(&rest);

		if (!in_header) {
			if (!parts)
				return false;
			in_header = may_be_boundary(line);
			inner = false;
		} else if (line.n == 0) {
			in_header = inner; /* the header of the message in it follows */
			inner = false;
		} else if (needs_8bit(line)) {
			return true;
		} else {
			/* A folded type stands on the next line: then there may be parts. */
			inner = inner || names_type(line, SLICE("message/"));
			parts = parts || names_type(line, SLICE("multipart/")) ||
				names_type(line, SLICE("message/")) ||
				(names_type(line, SLICE("")) && is_blank(slice_skip(line, 13)));
		}
	}
	return false;
}

void needs_trim(struct wire_content_meta *meta, struct slice message)
{
	if (meta->body_8bit || meta->utf8)
		meta->body_8bit = needs_8bit(message);
	if (meta->utf8)
		meta->utf8 = meta->body_8bit && has_8bit_header(message);
}
