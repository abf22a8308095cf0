-- What was deleted and can be restored. A subject that was deleted is in none of the
-- tables of subjects, so that nothing finds it; its slots, images and history stay where
-- they are. What is derived from names is not kept: it is derived again.

-- +goose Up
CREATE TABLE deleted_subjects (
    kind        text NOT NULL,
    id          text NOT NULL,
    name        text NOT NULL, -- when it was deleted
    name_key    blob NOT NULL, -- as that of artists and albums
    mbid        text,
    artist_id   text, -- of an album, which need not exist any more …
    artist_name text NOT NULL, -- … and what it was called
    went_with   text, -- the artist with whom an album was deleted
    deleted_by  text NOT NULL,
    deleted_at  integer NOT NULL,
    saved       text NOT NULL, -- a JSON object: what is needed to restore it
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_subjects_at ON deleted_subjects (deleted_at, id);
CREATE INDEX deleted_subjects_with ON deleted_subjects (went_with, deleted_at, id) WHERE went_with IS NOT NULL;
CREATE INDEX deleted_subjects_mbid ON deleted_subjects (mbid) WHERE mbid IS NOT NULL;
CREATE INDEX deleted_subjects_name ON deleted_subjects (name_key);

-- What identity providers call users who were deleted.
CREATE TABLE deleted_identities (
    issuer  text NOT NULL,
    subject text NOT NULL,
    user_id text NOT NULL,
    PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX deleted_identities_user ON deleted_identities (user_id);

-- +goose Down
DROP TABLE deleted_identities;
DROP TABLE deleted_subjects;
