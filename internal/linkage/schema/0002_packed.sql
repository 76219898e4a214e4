-- A stream's tokens in one row, as they are weighed; and by the first 64 bits of a token who holds
-- it, as they are looked for. Both are projections: the program draws them anew.
DROP TABLE linkage_person;
DROP TABLE linkage_token;
CREATE TABLE linkage_person (
	stream text PRIMARY KEY,
	org text NOT NULL,
	tokens text NOT NULL
);
CREATE TABLE linkage_holder (
	stream text NOT NULL,
	token bigint NOT NULL,
	PRIMARY KEY (stream, token)
);
CREATE INDEX linkage_holder_token ON linkage_holder (token, stream);
