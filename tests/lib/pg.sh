# tests/lib/pg.sh - a PostgreSQL cluster of one's own, for tests: source it.
#	pg_start DIR     makes and starts a cluster in DIR: Unix socket only, in DIR itself, so that any
#	                 number run side by side; sets PGHOST, PGPORT (a name, not a port), PGDATABASE
#	pg_stop          stops it at once and removes it; call it from a trap
#	pg_kill          SIGKILL to the postmaster, as power loss would; pg_again starts it again
# Runs as user postgres when we are root, since initdb refuses root.
PG_BIN=${PG_BIN:-$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)}

pg_as() {
	if [ "$(id -u)" = 0 ]; then
		# setpriv keeps the signal path short: no shell or PAM session in between.
		(cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
	else
		"$@"
	fi
}

pg_start() {
	PG_DIR=$1
	mkdir -p "$PG_DIR" && chmod 711 "$PG_DIR"
	mkdir -p "$PG_DIR/data" "$PG_DIR/socket"
	[ "$(id -u)" = 0 ] && chown postgres "$PG_DIR/data" "$PG_DIR/socket"
	pg_as "$PG_BIN/initdb" -D "$PG_DIR/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
		-N >"$PG_DIR/initdb.log" 2>&1 || { cat "$PG_DIR/initdb.log"; return 1; }
	cat >>"$PG_DIR/data/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$PG_DIR/socket'
		port = 5432
		max_connections = 60
		shared_buffers = 64MB
		timezone = 'UTC'
		log_min_messages = warning
	CONF
	[ -n "${PG_EXTRA:-}" ] && printf '%s\n' "$PG_EXTRA" >>"$PG_DIR/data/postgresql.conf"
	pg_again || return 1
	export PGHOST=$PG_DIR/socket PGPORT=5432 PGUSER=postgres PGDATABASE=postern
	"$PG_BIN/createdb" -h "$PGHOST" -U postgres postern
}

# After pg_kill the old backends hold the shared memory until they notice: so it is tried for a while.
pg_again() {
	local try
	for try in $(seq 40); do
		pg_as "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -l "$PG_DIR/socket/server.log" -w -t 60 start \
			>"$PG_DIR/start.log" 2>&1 && return 0
		sleep 0.25
	done
	cat "$PG_DIR/socket/server.log"
	return 1
}

pg_kill() {
	kill -9 "$(head -1 "$PG_DIR/data/postmaster.pid")"
}

pg_stop() {
	[ -n "${PG_DIR:-}" ] && [ -f "$PG_DIR/data/postmaster.pid" ] &&
		pg_as "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -m immediate -w stop >/dev/null 2>&1
	[ -n "${PG_DIR:-}" ] && rm -rf "$PG_DIR/data" "$PG_DIR/socket"
	return 0
}
