-- The keyring: a database of its own, with short-lived backups.
-- One row holds the wrapped keys of all tiers of one stream; destroying the
-- row erases the stream.
CREATE TABLE stream_key (
	stream text PRIMARY KEY,
	org text NOT NULL,
	wrapped bytea NOT NULL,
	created_at bigint NOT NULL
);
CREATE TABLE org_key (
	org text PRIMARY KEY,
	public bytea NOT NULL,
	private_sealed bytea NOT NULL,
	created_at bigint NOT NULL
);
CREATE TABLE erased_key (
	stream text PRIMARY KEY,
	erased_at bigint NOT NULL
);
-- The newest checkpoints, kept apart from the journal so that a journal cut
-- short is noticed.
CREATE TABLE checkpoint_copy (
	size bigint PRIMARY KEY,
	note text NOT NULL
);
