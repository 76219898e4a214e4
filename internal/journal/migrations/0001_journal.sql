-- The journal only grows: no statement of the program updates or deletes an
-- entry. What a stream row and the heads hold follows from the entries.
CREATE TABLE stream (
	id text PRIMARY KEY,
	kind text NOT NULL,
	org text NOT NULL,
	created_at bigint NOT NULL,
	seq bigint NOT NULL,
	head_hash bytea NOT NULL,
	erased_at bigint NOT NULL
);
CREATE INDEX stream_org ON stream (org, kind, id);
CREATE TABLE entry (
	id text PRIMARY KEY,
	stream text NOT NULL,
	seq bigint NOT NULL,
	form text NOT NULL,
	form_version bigint NOT NULL,
	act text NOT NULL,
	record text NOT NULL,
	follows text NOT NULL,
	author text NOT NULL,
	org text NOT NULL,
	device text NOT NULL,
	written_at bigint NOT NULL,
	recorded_at bigint NOT NULL,
	prev_hash bytea NOT NULL,
	hash bytea NOT NULL,
	log_index bigint NOT NULL,
	parts bytea NOT NULL
);
CREATE UNIQUE INDEX entry_stream ON entry (stream, seq);
CREATE UNIQUE INDEX entry_log ON entry (log_index);
CREATE TABLE log_head (
	one bigint PRIMARY KEY,
	size bigint NOT NULL
);
INSERT INTO log_head (one, size) VALUES (1, 0);
-- Nodes of the Merkle tree over the entries' hashes (RFC 6962), filled when a
-- checkpoint is written.
CREATE TABLE log_hash (
	idx bigint PRIMARY KEY,
	hash bytea NOT NULL
);
CREATE TABLE checkpoint (
	size bigint PRIMARY KEY,
	at bigint NOT NULL,
	note text NOT NULL
);
-- Who read what: one line a read, chained within the organisation.
CREATE TABLE access_line (
	id text PRIMARY KEY,
	org text NOT NULL,
	seq bigint NOT NULL,
	at bigint NOT NULL,
	reader text NOT NULL,
	session text NOT NULL,
	action text NOT NULL,
	purpose text NOT NULL,
	because text NOT NULL,
	tiers text NOT NULL,
	streams bigint NOT NULL,
	prev_hash bytea NOT NULL,
	hash bytea NOT NULL
);
CREATE UNIQUE INDEX access_line_org ON access_line (org, seq);
CREATE INDEX access_line_reader ON access_line (reader, at);
CREATE TABLE access_stream (
	stream text NOT NULL,
	line text NOT NULL,
	PRIMARY KEY (stream, line)
);
CREATE INDEX access_stream_line ON access_stream (line);
CREATE TABLE access_head (
	org text PRIMARY KEY,
	seq bigint NOT NULL,
	hash bytea NOT NULL
);
-- Erasure takes two people: one asks with a reason, another approves.
CREATE TABLE erasure (
	id text PRIMARY KEY,
	stream text NOT NULL,
	reason text NOT NULL,
	asked_by text NOT NULL,
	asked_at bigint NOT NULL,
	approved_by text NOT NULL,
	approved_at bigint NOT NULL,
	done_at bigint NOT NULL
);
