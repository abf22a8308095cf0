-- Names are kept as they were given and in two derived columns: folded_name is
-- searched, and sort_key orders lists (folded, and cut so that it fits into an
-- index entry; byte order, hence the collation). name_key finds a name exactly:
-- a digest, because names can be longer than an index entry.

-- +goose Up
CREATE TABLE artists (
    id          uuid PRIMARY KEY,
    name        text NOT NULL,
    sort_name   text NOT NULL,
    folded_name text COLLATE "C" NOT NULL,
    sort_key    text COLLATE "C" NOT NULL,
    name_key    bytea NOT NULL,
    mbid        uuid,
    missing     boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX artists_mbid ON artists (mbid) WHERE mbid IS NOT NULL;
CREATE INDEX artists_sorted ON artists (sort_key, id);
CREATE INDEX artists_name ON artists (name_key);

CREATE TABLE albums (
    id                 uuid PRIMARY KEY,
    artist_id          uuid NOT NULL REFERENCES artists (id),
    name               text NOT NULL,
    year               integer NOT NULL,
    folded_name        text COLLATE "C" NOT NULL,
    sort_key           text COLLATE "C" NOT NULL,
    name_key           bytea NOT NULL,
    mbid               uuid,
    release_group_mbid uuid,
    in_library         boolean NOT NULL DEFAULT false, -- was in a folder of the library at some time
    missing            boolean NOT NULL DEFAULT false,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL
);
CREATE UNIQUE INDEX albums_mbid ON albums (mbid) WHERE mbid IS NOT NULL;
CREATE INDEX albums_sorted ON albums (sort_key, id);
CREATE INDEX albums_of_artist_sorted ON albums (artist_id, sort_key, id);
CREATE INDEX albums_name ON albums (artist_id, name_key);

CREATE TABLE users (
    id             uuid PRIMARY KEY,
    username       text NOT NULL,
    display_name   text NOT NULL,
    role           text NOT NULL,
    folded_name    text COLLATE "C" NOT NULL,
    folded_display text COLLATE "C" NOT NULL,
    sort_key       text COLLATE "C" NOT NULL,
    name_key       bytea NOT NULL,
    created_at     timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_name ON users (name_key);
CREATE INDEX users_sorted ON users (sort_key, id);

CREATE TABLE images (
    id           uuid PRIMARY KEY,
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    slot         text NOT NULL,
    hash         bytea NOT NULL,
    size         bigint NOT NULL,
    mime_type    text NOT NULL,
    width        bigint NOT NULL,
    height       bigint NOT NULL,
    thumb_hash   bytea NOT NULL,
    source       text NOT NULL,
    provider     text NOT NULL,
    source_url   text NOT NULL,
    licence      text NOT NULL,
    attribution  text NOT NULL,
    file_name    text NOT NULL,
    focal_x      double precision,
    focal_y      double precision,
    added_by     text NOT NULL,
    added_at     timestamptz NOT NULL,
    CHECK ((focal_x IS NULL) = (focal_y IS NULL))
);
CREATE INDEX images_of_subject ON images (subject_kind, subject_id, source, added_at);
CREATE INDEX images_hash ON images (hash, id);

CREATE TABLE slots (
    subject_kind  text NOT NULL,
    subject_id    uuid NOT NULL,
    slot          text NOT NULL,
    image_id      uuid REFERENCES images (id),
    chosen        boolean NOT NULL DEFAULT false,
    locked        boolean NOT NULL DEFAULT false,
    kept_empty    boolean NOT NULL DEFAULT false,
    origin_rank   bigint NOT NULL DEFAULT 0,
    origin_path   bytea NOT NULL DEFAULT '', -- paths are bytes, not text
    last_modified timestamptz, -- whole seconds, rising with every change
    changed_at    timestamptz NOT NULL, -- by the clock of this server
    PRIMARY KEY (subject_kind, subject_id, slot)
);
CREATE INDEX slots_changed ON slots (changed_at);

CREATE TABLE history (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject_kind text NOT NULL,
    subject_id   uuid NOT NULL,
    slot         text NOT NULL,
    image_id     uuid NOT NULL REFERENCES images (id),
    applied_by   text NOT NULL,
    applied_at   timestamptz NOT NULL
);
CREATE INDEX history_of_place ON history (subject_kind, subject_id, slot, id);

CREATE TABLE library_folders (
    id          bytea PRIMARY KEY, -- digest of the path
    path        bytea NOT NULL,
    root        bytea NOT NULL,
    fingerprint text NOT NULL,
    scan_id     uuid NOT NULL
);

CREATE TABLE library_folder_albums (
    folder_id bytea NOT NULL REFERENCES library_folders (id) ON DELETE CASCADE,
    album_id  uuid NOT NULL REFERENCES albums (id),
    PRIMARY KEY (folder_id, album_id)
);
CREATE INDEX library_folder_albums_album ON library_folder_albums (album_id);

CREATE TABLE api_tokens (
    id         uuid PRIMARY KEY,
    name       text NOT NULL,
    scope      text NOT NULL,
    hash       bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

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
