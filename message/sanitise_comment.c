/* message/sanitise_comment.c - the sanitiser on comments, conditional ones and declarations: which
 * stay, and where each ends. */
#include <string.h>

#include "message/sanitise_int.h"

static size_t comment_end(const struct sanitise *z, size_t i)
{
	if (sanitise_at(z, i) == '>')
		return i + 1;
	if (sanitise_is_here(z, i, "->"))
		return i + 2;
	for (; i < z->end; i++) {
		if (sanitise_is_here(z, i, "-->"))
			return i + 3;
		if (sanitise_is_here(z, i, "--!>"))
			return i + 4;
	}
	return SIZE_MAX;
}

/* Would the comment end elsewhere with a section left out? */
static bool comment_is_odd(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		size_t k;

		if (sanitise_at(z, i) != AT_TAG)
			continue;
		k = sanitise_skip_tags(z, i);
		if (sanitise_at(z, i - 1) == '-' || sanitise_at(z, k) == '-' ||
		    sanitise_at(z, k) == '>' || sanitise_at(z, k) == '!')
			return true;
		i = k;
	}
	return false;
}

static bool is_condition(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (sanitise_at(z, i) < 0 || (!sanitise_is_letter(sanitise_at(z, i)) &&
					      !strchr(" 0123456789.()!&|", sanitise_at(z, i))))
			return false;
	return true;
}

static bool ends_comment(struct slice s)
{
	for (size_t i = 0; i + 1 < s.n; i++)
		if (s.p[i] == '-' && s.p[i + 1] == '-')
			for (size_t k = i + 2; k < s.n && k < i + 4; k++)
				if (s.p[k] == '>')
					return true;
	return false;
}

/* <!--[if mso]> ... <![endif]-->: some programs read it as markup, so it is judged as markup. */
static void take_conditional(struct sanitise *z, size_t i, size_t inner, size_t after)
{
	size_t end = z->end, start = buf_len(z->out), mark;
	size_t close = z->s[after - 2] == '!' ? 4 : 3;
	bool before = z->conditional;

	sanitise_emit(z, i, inner);
	mark = buf_len(z->out);
	z->conditional = true;
	/* <!--[if !mso]><!--> has no content: the dashes of its end are those of a beginning. */
	if (inner + close <= after)
		sanitise_walk(z, inner, after - close);
	z->conditional = before;
	z->end = end;
	if (ends_comment(slice_skip(buf_data(z->out), mark))) {
		sanitise_take_back(z, start);
		sanitise_tell(z, i, "a conditional comment", (struct slice){ 0 });
		return;
	}
	sanitise_emit(z, MAX_OF(inner, after - close), after);
}

size_t sanitise_comment(struct sanitise *z, size_t i)
{
	size_t after = comment_end(z, i + 4), first = sanitise_skip_spaces(z, i + 4), inner;

	if (after == SIZE_MAX) {
		size_t k = i + 4;

		while (sanitise_is_space(sanitise_at(z, k)) || sanitise_at(z, k) == '-')
			k++;
		if (z->conditional && k == z->end)
			sanitise_emit(z, i, z->end);
		else
			sanitise_tell(z, i, "a comment without an end", (struct slice){ 0 });
		return z->end;
	}
	if (comment_is_odd(z, i + 4, after)) {
		sanitise_tell(z, i, "a comment with a field beside its dashes",
			      (struct slice){ 0 });
		return after;
	}
	if (!sanitise_is_here(z, first, "[if")) {
		sanitise_emit(z, i, after);
		return after;
	}
	inner = sanitise_find(z, first, after, "]>");
	if (inner + 2 > after || !is_condition(z, first + 3, inner))
		sanitise_tell(z, i, "a conditional comment", (struct slice){ 0 });
	else
		take_conditional(z, i, inner + 2, after);
	return after;
}

static bool is_plain(const struct sanitise *z, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (sanitise_at(z, i) < 0 || strchr("<[]", sanitise_at(z, i)))
			return false;
	return true;
}

/* <!doctype ...>, <![if ...]>, <![endif]>, <?xml ...>; the end of each is the first ">". */
static bool declaration_stays(const struct sanitise *z, size_t i, size_t end)
{
	if (sanitise_is_here(z, i, "<!doctype"))
		return is_plain(z, i + 9, end);
	if (sanitise_is_here(z, i, "<?xml ") || sanitise_is_here(z, i, "<?xml:namespace "))
		return is_plain(z, i + 5, end);
	if (!sanitise_is_here(z, i, "<![if") && !sanitise_is_here(z, i, "<![endif"))
		return false;
	return end > i + 4 && sanitise_at(z, end - 1) == ']' && is_condition(z, i + 3, end - 1);
}

size_t sanitise_declaration(struct sanitise *z, size_t i)
{
	size_t end = sanitise_find(z, i, z->end, ">");
	bool stays = declaration_stays(z, i, end);

	if (end == z->end) {
		/* <![endif]--> and <!--[if !mso]><!--> */
		stays &= sanitise_is_here(z, i, "<![");
		if (z->conditional && (stays || i + 2 == end))
			sanitise_emit(z, i, end);
		else
			sanitise_tell(z, i, "a declaration without an end", (struct slice){ 0 });
		return end;
	}
	if (stays)
		sanitise_emit(z, i, end + 1);
	else
		sanitise_tell(z, i, "a declaration", (struct slice){ 0 });
	return end + 1;
}
