-- Organisations' own smart hosts may want tokens that expire (XOAUTH2): the engine asks for them at the provider's
-- endpoint.  secret is then the client's secret and the refresh token, a line each.
ALTER TABLE smtp_routes
	ADD COLUMN token_url text NOT NULL DEFAULT '' CHECK (token_url ~ '^(https://[!-~]+)?$' AND length(token_url) < 501),
	ADD COLUMN client_id text NOT NULL DEFAULT '' CHECK (client_id !~ '[[:cntrl:]]' AND length(client_id) < 256),
	ADD COLUMN scope text NOT NULL DEFAULT '' CHECK (scope !~ '[[:cntrl:]]' AND length(scope) < 501);

-- As before (0036_smtp_routes.sql), and with an endpoint its client.
CREATE OR REPLACE FUNCTION smtp_route_fact(r smtp_routes) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT 'host = ' || r.host || E'\nport = ' || r.port
		|| E'\ntls = ' || CASE WHEN r.tls_first THEN 'at-once ' ELSE '' END
		|| (ARRAY['verify', 'encrypt', 'may', 'never'])[r.tls]
		|| E'\nauth = ' || (ARRAY['none', 'password', 'plain', 'login', 'xoauth2'])[r.auth]
		|| CASE WHEN r.token_url <> '' THEN E'\ntoken_url = ' || r.token_url ELSE '' END
		|| E'\ndomain = ' || replace(r.domains, ' ', ', ') || E'\n'
		|| CASE WHEN r.seal_id = 0 THEN ''
			WHEN r.token_url = '' THEN E'\nuser = ' || r.username || E'\npassword = '
			ELSE E'\nuser = ' || r.username || E'\nclient_id = ' || r.client_id
				|| E'\nscope = ' || r.scope || E'\n' END
$$;
