/* bench/sink_session.h - the server's side of SMTP as the sink speaks it (RFC 5321, RFC 2920, RFC
 * 3207): commands, recipients under the rules, messages up to CRLF.CRLF.
 * Limits: commands of 4 KiB; 100 recipients a message. */
#pragma once
#include "bench/sink_peer.h"

/* Greets, or turns away whom the rules call busy. */
void sink_session_greet(struct peer *p);
/* Acts on all whole commands and messages that have arrived. */
void sink_session_hear(struct peer *p);
