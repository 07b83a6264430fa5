/* message/sanitise.h - an HTML part of a template without what mail must not carry: an allow-list.
 *
 * Kept, byte for byte: the elements and attributes of documents, tables, text, images and media;
 * <style> and style="" (judged); conditional comments and what they hold (judged the same); VML and
 * Office elements (v:, o:, w: ...); comments; the doctype; Mustache tags outside of what leaves.
 * Leaves: any other element (its text stays; <script> and <iframe> go with their content), any
 * other attribute, links with another scheme than those of pages, mail, telephones and chats, data:
 * URLs that are no image, <meta> that acts, <link> that is no style sheet or icon, CSS that runs
 * code, and markup that has no end.
 *
 * Guarantee: what comes out, read by the HTML standard (13.2.5) with any of its sections kept or
 *            left out, has nothing that is not on the lists.  No value of a field changes that, as
 *            the compiler escapes each by its place.  Sanitising twice is sanitising once.
 * Guarantee: what has only allowed markup comes out unchanged.
 * Owns:    nothing; out, which has no cap, is emptied first.
 * Blocks:  never.
 * Fails:   E_SYNTAX when the Mustache tags cannot be read (the compiler says where); E_LIMIT past
 *          TEMPLATE_SOURCE_MAX, and for tags that change delimiters again and again.
 * Limits:  it trusts the compiler (message/template.h) to have refused sections that end in
 *          another HTML context than they began in. */
#pragma once
#include "base/buf.h"

enum { SANITISE_FINDINGS = 50, SANITISE_WHAT_MAX = 120 };

struct sanitise_finding {
	unsigned line, column; /* from 1, of the source; column counts characters */
	char what[SANITISE_WHAT_MAX];
};
struct sanitise_report {
	unsigned n, total; /* n of all are listed */
	struct sanitise_finding findings[SANITISE_FINDINGS];
};
/* report may be NULL. */
int sanitise_html(struct buf *out, struct slice html, struct sanitise_report *report) MUST_CHECK;
