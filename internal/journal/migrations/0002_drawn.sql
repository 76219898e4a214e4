-- By which rules the projections were last drawn whole: other rules (a new
-- version of the program, changed forms or clocks) draw other rows.
CREATE TABLE drawn (
	one bigint PRIMARY KEY,
	revision text NOT NULL
);
