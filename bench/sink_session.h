/* bench/sink_session.h - the server's side of SMTP as the sink speaks it (RFC 5321, 2920, 3207):
 * commands, recipients under the rules, messages up to CRLF.CRLF.
 * Limits: commands of 4 KiB; 100 recipients per message. */
#pragma once
#include "bench/sink_peer.h"

/* Greets, or sends 421 when the rules say busy. */
void sink_session_greet(struct peer *p);
/* Handles all whole commands and messages that have arrived. */
void sink_session_hear(struct peer *p);
