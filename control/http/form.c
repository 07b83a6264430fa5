/* control/http/form.c - fields between "&", names and values between "=". */
#include "control/http/form.h"

#include "control/http/percent.h"

int http_form_decode(struct http_form *form, struct slice in, struct slice *ret)
{
	char plain[FORM_BYTES_MAX];
	int r;

	if (in.n > sizeof(plain))
		return E_LIMIT;
	for (size_t i = 0; i < in.n; i++)
		plain[i] = in.p[i] == '+' ? ' ' : in.p[i];
	r = percent_decode(slice_of(plain, in.n), form->bytes + form->used,
			   sizeof(form->bytes) - form->used, ret);
	if (r >= 0)
		form->used += ret->n;
	return r < 0 ? r : 0;
}

static bool has(const struct http_form *form, struct slice name)
{
	for (unsigned i = 0; i < form->n; i++)
		if (slice_eq(form->fields[i].name, name))
			return true;
	return false;
}

static int add(struct http_form *form, struct slice pair)
{
	struct slice value = pair, name = slice_take(&value, '='), text;
	int r = http_form_decode(form, name, &text);

	if (r < 0)
		return r;
	if (has(form, text))
		return E_SYNTAX;
	if (form->n == FORM_FIELDS_MAX)
		return E_LIMIT;
	form->fields[form->n].name = text;
	r = http_form_decode(form, value, &form->fields[form->n].value);
	if (r >= 0)
		form->n++;
	return r;
}

int http_form_read(struct http_form *form, struct slice body)
{
	int r = 0;

	form->n = 0;
	form->used = 0;
	while (body.n && r >= 0) {
		struct slice pair = slice_take(&body, '&');

		if (pair.n)
			r = add(form, pair);
	}
	return r;
}

struct slice http_form_value(const struct http_form *form, const char *name)
{
	for (unsigned i = 0; i < form->n; i++)
		if (slice_eq(form->fields[i].name, slice_str(name)))
			return form->fields[i].value;
	return SLICE("");
}
