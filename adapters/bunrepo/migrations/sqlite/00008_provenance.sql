-- What is known of the rights in an image and who said so, how an image took force, and
-- what was considered for a slot: the last search and the last fill.

-- +goose Up
ALTER TABLE images ADD COLUMN source_page text NOT NULL DEFAULT '';
ALTER TABLE images ADD COLUMN stated_by text NOT NULL DEFAULT ''; -- '' if nobody said anything
ALTER TABLE history ADD COLUMN act text NOT NULL DEFAULT ''; -- '' if it is not known

-- What a caller states of the image of a URL.
ALTER TABLE bulk_items ADD COLUMN licence text NOT NULL DEFAULT '';
ALTER TABLE bulk_items ADD COLUMN attribution text NOT NULL DEFAULT '';
ALTER TABLE bulk_items ADD COLUMN source_page text NOT NULL DEFAULT '';

CREATE TABLE considerations (
    artist_id  text REFERENCES artists (id) ON DELETE CASCADE, -- either this …
    album_id   text REFERENCES albums (id) ON DELETE CASCADE, -- … or this
    slot       text NOT NULL,
    occasion   text NOT NULL,
    asked_by   text NOT NULL,
    at         integer NOT NULL,
    found      text NOT NULL, -- a JSON object
    CHECK ((artist_id IS NULL) <> (album_id IS NULL))
) STRICT;
CREATE UNIQUE INDEX considerations_of_artist ON considerations (artist_id, slot, occasion) WHERE artist_id IS NOT NULL;
CREATE UNIQUE INDEX considerations_of_album ON considerations (album_id, slot, occasion) WHERE album_id IS NOT NULL;

-- +goose Down
DROP TABLE considerations;
ALTER TABLE bulk_items DROP COLUMN source_page;
ALTER TABLE bulk_items DROP COLUMN attribution;
ALTER TABLE bulk_items DROP COLUMN licence;
ALTER TABLE history DROP COLUMN act;
ALTER TABLE images DROP COLUMN stated_by;
ALTER TABLE images DROP COLUMN source_page;
