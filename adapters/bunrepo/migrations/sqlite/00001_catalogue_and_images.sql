-- The same tables as on Postgres. Identifiers are text in the canonical form,
-- digests are blobs, and times are microseconds since 1970, UTC.

-- +goose Up
-- Two instances that migrate at once must not both record the same version.
CREATE UNIQUE INDEX goose_db_version_once ON goose_db_version (version_id);

CREATE TABLE artists (
    id          text NOT NULL PRIMARY KEY,
    name        text NOT NULL,
    sort_name   text NOT NULL,
    folded_name text NOT NULL,
    sort_key    text NOT NULL,
    name_key    blob NOT NULL,
    mbid        text,
    missing     integer NOT NULL DEFAULT 0,
    created_at  integer NOT NULL,
    updated_at  integer NOT NULL
) STRICT;
CREATE UNIQUE INDEX artists_mbid ON artists (mbid) WHERE mbid IS NOT NULL;
CREATE INDEX artists_sorted ON artists (sort_key, id);
CREATE INDEX artists_name ON artists (name_key);

CREATE TABLE albums (
    id                 text NOT NULL PRIMARY KEY,
    artist_id          text NOT NULL REFERENCES artists (id),
    name               text NOT NULL,
    year               integer NOT NULL,
    folded_name        text NOT NULL,
    sort_key           text NOT NULL,
    name_key           blob NOT NULL,
    mbid               text,
    release_group_mbid text,
    in_library         integer NOT NULL DEFAULT 0, -- was in a folder of the library at some time
    missing            integer NOT NULL DEFAULT 0,
    created_at         integer NOT NULL,
    updated_at         integer NOT NULL
) STRICT;
CREATE UNIQUE INDEX albums_mbid ON albums (mbid) WHERE mbid IS NOT NULL;
CREATE INDEX albums_sorted ON albums (sort_key, id);
CREATE INDEX albums_of_artist_sorted ON albums (artist_id, sort_key, id);
CREATE INDEX albums_name ON albums (artist_id, name_key);

CREATE TABLE users (
    id             text NOT NULL PRIMARY KEY,
    username       text NOT NULL,
    display_name   text NOT NULL,
    role           text NOT NULL,
    folded_name    text NOT NULL,
    folded_display text NOT NULL,
    sort_key       text NOT NULL,
    name_key       blob NOT NULL,
    created_at     integer NOT NULL,
    updated_at     integer NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_name ON users (name_key);
CREATE INDEX users_sorted ON users (sort_key, id);

CREATE TABLE images (
    id           text NOT NULL PRIMARY KEY,
    subject_kind text NOT NULL,
    subject_id   text NOT NULL,
    slot         text NOT NULL,
    hash         blob NOT NULL,
    size         integer NOT NULL,
    mime_type    text NOT NULL,
    width        integer NOT NULL,
    height       integer NOT NULL,
    thumb_hash   blob NOT NULL,
    source       text NOT NULL,
    provider     text NOT NULL,
    source_url   text NOT NULL,
    licence      text NOT NULL,
    attribution  text NOT NULL,
    file_name    text NOT NULL,
    focal_x      real,
    focal_y      real,
    added_by     text NOT NULL,
    added_at     integer NOT NULL,
    CHECK ((focal_x IS NULL) = (focal_y IS NULL))
) STRICT;
CREATE INDEX images_of_subject ON images (subject_kind, subject_id, source, added_at);
CREATE INDEX images_hash ON images (hash, id);

CREATE TABLE slots (
    subject_kind  text NOT NULL,
    subject_id    text NOT NULL,
    slot          text NOT NULL,
    image_id      text REFERENCES images (id),
    chosen        integer NOT NULL DEFAULT 0,
    locked        integer NOT NULL DEFAULT 0,
    kept_empty    integer NOT NULL DEFAULT 0,
    origin_rank   integer NOT NULL DEFAULT 0,
    origin_path   blob NOT NULL DEFAULT x'', -- paths are bytes, not text
    last_modified integer, -- whole seconds, rising with every change
    changed_at    integer NOT NULL,
    PRIMARY KEY (subject_kind, subject_id, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_changed ON slots (changed_at);

CREATE TABLE history (
    id           integer PRIMARY KEY AUTOINCREMENT,
    subject_kind text NOT NULL,
    subject_id   text NOT NULL,
    slot         text NOT NULL,
    image_id     text NOT NULL REFERENCES images (id),
    applied_by   text NOT NULL,
    applied_at   integer NOT NULL
) STRICT;
CREATE INDEX history_of_place ON history (subject_kind, subject_id, slot, id);

CREATE TABLE library_folders (
    id          blob NOT NULL PRIMARY KEY, -- digest of the path
    path        blob NOT NULL,
    root        blob NOT NULL,
    fingerprint text NOT NULL,
    scan_id     text NOT NULL
) STRICT;

CREATE TABLE library_folder_albums (
    folder_id blob NOT NULL REFERENCES library_folders (id) ON DELETE CASCADE,
    album_id  text NOT NULL REFERENCES albums (id),
    PRIMARY KEY (folder_id, album_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX library_folder_albums_album ON library_folder_albums (album_id);

CREATE TABLE api_tokens (
    id         text NOT NULL PRIMARY KEY,
    name       text NOT NULL,
    scope      text NOT NULL,
    hash       blob NOT NULL UNIQUE,
    created_at integer NOT NULL
) STRICT;

-- +goose Down
DROP TABLE api_tokens;
DROP TABLE library_folder_albums;
DROP TABLE library_folders;
DROP TABLE history;
DROP TABLE slots;
DROP TABLE images;
DROP TABLE users;
DROP TABLE albums;
DROP TABLE artists;
DROP INDEX goose_db_version_once;
