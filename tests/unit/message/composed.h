/* tests/unit/message/composed.h - a campaign to compose, and checks for every composed message. */
#pragma once
#include "message/compose.h"
#include "message/program.h"

#define HTML                                                                                       \
	"<html><head><title>{{subject_line}}</title></head><body>\n"                               \
	"<p>Hello "                                                                                \
	"{{#first_name}}{{first_name}}{{/first_name}}{{^first_name}}there{{/first_name}},</p>\n"   \
	"<a href=\"{{link}}\" title=\"{{title}}\" style=\"color: {{color}}\">go</a>\n"             \
	"<a href=\"https://shop.example/?who={{first_name}}&amp;x=1\">shop</a> {{{raw}}}\n"        \
	"<p>{{email}}</p><a href='{{unsubscribe_url}}'>leave</a></body></html>\n"
#define TEXT                                                                                       \
	"Hello {{first_name}},\n\n{{title}} {{link}}\n.\nFrom here: {{email}}\n-- "                \
	"\n{{unsubscribe_url}}\n"

struct compose_in composed_campaign(void);
struct program *composed_compose(const struct compose_in *in, struct buf *bytes);
struct value composed_string(struct slice s);
void composed_expand(const struct program *p, const struct value *fields, unsigned n,
		     struct buf *out);
size_t composed_header_end(struct slice m);
void composed_check_lines(struct slice m);
void composed_header_names(struct slice m, struct buf *names);
unsigned composed_count(struct slice m, const char *needle);
bool composed_qp_decode(struct slice s, struct buf *out);
void composed_body_is(struct slice m, struct slice want);
