/* message/mend.h - what a submission server mends in a header before anybody reads it (RFC 6409
 * section 8): fields that are not for recipients leave, and what stands in the way of the first
 * field, or between a name and its colon, leaves too.
 *
 *	preamble = *( BOM / *">" "From " text CRLF )     when a field follows it
 *	dropped  = Bcc, Resent-Bcc (RFC 5322 section 3.6.3), Return-Path (RFC 5321 section 4.4)
 *
 * The separator line of a mailbox file leaves as with Exim's ignore_fromline_hosts (Postfix makes
 * it a field "X-Mailbox-Line").  Both take "From : x" for a field (RFC 5322 section 4.5.8); here it
 * becomes "From: x", so that every reader behind us takes it for one, and signatures cover it.
 *
 * Guarantee: the body, and every field that is not named above, keep their bytes.
 * Owns:   nothing; the message is the caller's, and only becomes shorter.
 * Blocks: never.  Fails: never; what is no header stays as it is.
 * Limits: HEADER_MAX bytes of header; header_scan() refuses a longer one. */
#pragma once
#include "base/buf.h"

/* The header begins `at` bytes into the message.  True: it had a field. */
bool mend_header(struct buf *message, size_t at);
/* For a text that begins with no field: do the lines before its first empty line look as if they
 * were meant as a header, so that taking all of it for the body would show it to people?  They have
 * a From, Bcc or Resent-Bcc field, or two others that every message has. */
bool mend_hidden_header(struct slice text);
