-- Projections of cases: codes, clocks and pointers in clear; names, places and
-- stories only sealed. Every row follows from one stream's history. Instants
-- are microseconds, 0 for none.
CREATE TABLE case_view (
	stream text PRIMARY KEY,
	org text NOT NULL,
	code text NOT NULL,
	country text NOT NULL,
	state text NOT NULL,
	since bigint NOT NULL,
	risk text NOT NULL,
	risk_rank bigint NOT NULL,
	risk_since bigint NOT NULL,
	sex text NOT NULL,
	age_years bigint NOT NULL,
	age_observed text NOT NULL,
	age_basis text NOT NULL,
	opened_at bigint NOT NULL,
	last_at bigint NOT NULL,
	changed bigint NOT NULL,
	worker text NOT NULL,
	supervisor text NOT NULL,
	team text NOT NULL,
	lawyer text NOT NULL,
	assigned_at bigint NOT NULL,
	last_author text NOT NULL,
	presumption text NOT NULL,
	presumed_since bigint NOT NULL,
	state_decision text NOT NULL,
	disputes bigint NOT NULL,
	next_label text NOT NULL,
	next_form text NOT NULL,
	next_record text NOT NULL,
	next_due bigint NOT NULL,
	person bytea,
	place bytea,
	marks bytea
);
CREATE UNIQUE INDEX case_view_code ON case_view (code);
CREATE INDEX case_view_org ON case_view (org, risk_rank, stream);
CREATE INDEX case_view_recent ON case_view (org, last_at, stream);
CREATE INDEX case_view_team ON case_view (team, risk_rank, stream);
CREATE INDEX case_view_worker ON case_view (worker, risk_rank, stream);
CREATE INDEX case_view_supervisor ON case_view (supervisor, risk_rank, stream);
CREATE INDEX case_view_lawyer ON case_view (lawyer, stream);
CREATE INDEX case_view_changed ON case_view (changed);
CREATE TABLE case_task (
	stream text NOT NULL,
	key text NOT NULL,
	kind text NOT NULL,
	clock text NOT NULL,
	label text NOT NULL,
	form text NOT NULL,
	record text NOT NULL,
	place text NOT NULL,
	org text NOT NULL,
	owner text NOT NULL,
	role text NOT NULL,
	boss text NOT NULL,
	risk_rank bigint NOT NULL,
	since bigint NOT NULL,
	due_at bigint NOT NULL,
	remind_at bigint NOT NULL,
	boss_at bigint NOT NULL,
	above text NOT NULL,
	above_at bigint NOT NULL,
	note bytea,
	PRIMARY KEY (stream, key)
);
CREATE INDEX case_task_owner ON case_task (owner, due_at);
CREATE INDEX case_task_boss ON case_task (boss, boss_at);
CREATE INDEX case_task_role ON case_task (org, role, due_at);
CREATE INDEX case_task_above ON case_task (org, above, above_at);
-- Who besides those assigned may open a case now, and who may never.
CREATE TABLE case_glass (
	stream text NOT NULL,
	reader text NOT NULL,
	until bigint NOT NULL
);
CREATE INDEX case_glass_reader ON case_glass (stream, reader);
CREATE TABLE case_excluded (
	stream text NOT NULL,
	reader text NOT NULL,
	PRIMARY KEY (stream, reader)
);
CREATE INDEX case_excluded_reader ON case_excluded (reader);
-- With which organisation a case is shared, as a digest bound to the stream:
-- the row answers "may they", not "with whom".
CREATE TABLE case_shared (
	stream text NOT NULL,
	partner text NOT NULL,
	tiers text NOT NULL,
	until bigint NOT NULL
);
CREATE INDEX case_shared_partner ON case_shared (stream, partner);
CREATE TABLE case_notice (
	stream text NOT NULL,
	key text NOT NULL,
	kind text NOT NULL,
	form text NOT NULL,
	record text NOT NULL,
	org text NOT NULL,
	reader text NOT NULL,
	role text NOT NULL,
	by_user text NOT NULL,
	at bigint NOT NULL,
	PRIMARY KEY (stream, key)
);
CREATE INDEX case_notice_reader ON case_notice (reader, at);
CREATE INDEX case_notice_role ON case_notice (org, role, at);
-- Files kept beside the entries, sealed with the keys of their stream: not a
-- projection. kind is original (as it came) or clean (without metadata).
CREATE TABLE file_blob (
	stream text NOT NULL,
	id text NOT NULL,
	kind text NOT NULL,
	media text NOT NULL,
	size bigint NOT NULL,
	sealed bytea NOT NULL,
	PRIMARY KEY (stream, id, kind)
);
