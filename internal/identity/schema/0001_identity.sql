-- Who somebody is. Instants are microseconds since 1970 UTC, 0 = never.
-- Nothing here opens a session by itself: tokens stand only as SHA-256,
-- passwords as argon2id, second-factor secrets sealed by the vault.

CREATE TABLE organisation (
    id text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    country text NOT NULL,
    operator boolean NOT NULL,      -- runs this installation: its administrators manage organisations
    created_at bigint NOT NULL
);

CREATE TABLE team (
    id text PRIMARY KEY,
    org text NOT NULL REFERENCES organisation (id),
    name text NOT NULL,
    supervisor text NOT NULL,       -- user id, empty while nobody is named
    created_at bigint NOT NULL
);
CREATE INDEX team_org ON team (org, id);

CREATE TABLE staff (
    id text PRIMARY KEY,
    org text NOT NULL REFERENCES organisation (id),
    team text NOT NULL,             -- team id or empty
    login text NOT NULL,            -- as typed by the administrator
    login_key text NOT NULL UNIQUE, -- folded, as compared
    name text NOT NULL,
    lang text NOT NULL,
    password text NOT NULL,         -- PHC string, empty: no password
    totp bytea,                     -- sealed secret, null: no code asked
    totp_pending bytea,             -- sealed secret that waits for its first code
    totp_step bigint NOT NULL,      -- last used time step: a code works once
    suspended_at bigint NOT NULL,
    created_at bigint NOT NULL,
    signed_in_at bigint NOT NULL
);
CREATE INDEX staff_org ON staff (org, id);

CREATE TABLE staff_role (
    staff text NOT NULL REFERENCES staff (id),
    role text NOT NULL,
    PRIMARY KEY (staff, role)
);

CREATE TABLE passkey (
    id text PRIMARY KEY,            -- credential id, base64url
    staff text NOT NULL REFERENCES staff (id),
    name text NOT NULL,
    credential text NOT NULL,       -- public part, JSON
    created_at bigint NOT NULL,
    used_at bigint NOT NULL
);
CREATE INDEX passkey_staff ON passkey (staff, id);

CREATE TABLE single_sign_on (
    issuer text NOT NULL,
    subject text NOT NULL,
    staff text NOT NULL REFERENCES staff (id),
    created_at bigint NOT NULL,
    PRIMARY KEY (issuer, subject)
);

CREATE TABLE session (
    id text PRIMARY KEY,            -- shown in lists, opens nothing
    token_hash text NOT NULL UNIQUE,
    staff text NOT NULL REFERENCES staff (id),
    stage text NOT NULL,            -- 'totp' waits for a code, 'full' is signed in
    how text NOT NULL,              -- password, totp, passkey, single_sign_on, invitation
    device text NOT NULL,
    created_at bigint NOT NULL,
    seen_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    stepped_up_until bigint NOT NULL
);
CREATE INDEX session_staff ON session (staff, id);

CREATE TABLE ceremony (
    id text PRIMARY KEY,            -- one passkey or single-sign-on exchange in progress
    kind text NOT NULL,
    staff text NOT NULL,
    data text NOT NULL,
    ends_at bigint NOT NULL
);

CREATE TABLE invitation (
    id text PRIMARY KEY,
    token_hash text NOT NULL UNIQUE,
    kind text NOT NULL,             -- 'join' makes a user, 'reset' gives an existing one a new password
    org text NOT NULL REFERENCES organisation (id),
    team text NOT NULL,
    login text NOT NULL,
    login_key text NOT NULL,
    roles text NOT NULL,            -- words between spaces
    staff text NOT NULL,            -- of a reset, or who joined
    made_by text NOT NULL,
    created_at bigint NOT NULL,
    ends_at bigint NOT NULL,
    used_at bigint NOT NULL
);
CREATE INDEX invitation_org ON invitation (org, id);

CREATE TABLE sign_in_attempt (
    id text PRIMARY KEY,
    bucket text NOT NULL,           -- SHA-256 of "login:…" or "address:…"
    at bigint NOT NULL
);
CREATE INDEX sign_in_attempt_bucket ON sign_in_attempt (bucket, at);

-- Administrative acts: only ever appended, each row hashed over the one before.
CREATE TABLE admin_act (
    seq bigint PRIMARY KEY,
    at bigint NOT NULL,
    by_user text NOT NULL,
    org text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    detail text NOT NULL,
    prev_hash bytea NOT NULL,
    hash bytea NOT NULL
);
CREATE INDEX admin_act_org ON admin_act (org, seq);

CREATE TABLE admin_act_head (
    one bigint PRIMARY KEY,
    seq bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO admin_act_head (one, seq, hash) VALUES (1, 0, '');
