-- The tokens of each stream: keyed digests, from which nothing can be read without the key. A
-- projection.
CREATE TABLE linkage_person (
	stream text PRIMARY KEY,
	org text NOT NULL
);
CREATE TABLE linkage_token (
	stream text NOT NULL,
	kind text NOT NULL,
	token text NOT NULL
);
CREATE INDEX linkage_token_stream ON linkage_token (stream);
CREATE INDEX linkage_token_kind ON linkage_token (kind, token, stream);

-- What persons decided about two streams, drawn from the one in whose history the decision stands.
CREATE TABLE linkage_decision (
	stream text NOT NULL,
	other text NOT NULL,
	same bigint NOT NULL,
	at bigint NOT NULL,
	PRIMARY KEY (stream, other)
);
CREATE INDEX linkage_decision_other ON linkage_decision (other);
