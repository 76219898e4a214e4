-- Own facts: one row a case. `codes` is the packed row (see Pack); `position` is the place in the log
-- of the newest entry it was drawn from.
CREATE TABLE register_fact (
	stream text PRIMARY KEY,
	person text NOT NULL,
	codes text NOT NULL,
	position bigint NOT NULL
);
CREATE INDEX register_fact_position ON register_fact (position);

-- Imported sources, each whole or absent.
CREATE TABLE register_source (
	id text PRIMARY KEY,
	format text NOT NULL,
	title text NOT NULL,
	citation text NOT NULL,
	digest text NOT NULL UNIQUE,
	row_count bigint NOT NULL,
	imported_at bigint NOT NULL,
	extra text NOT NULL
);

-- Their rows, in blocks of many packed lines: `facts` in our codes, `raw` in the file's own.
CREATE TABLE register_block (
	source text NOT NULL REFERENCES register_source (id),
	number bigint NOT NULL,
	row_count bigint NOT NULL,
	facts bytea NOT NULL,
	raw bytea NOT NULL,
	PRIMARY KEY (source, number)
);
