-- What most of an image looks like, '' while that is not known: of what the release
-- before has taken in it is computed later.

-- +goose Up
ALTER TABLE images ADD COLUMN dominant_color text NOT NULL DEFAULT '';
CREATE INDEX images_undescribed ON images (hash) WHERE dominant_color = '';

-- +goose Down
DROP INDEX images_undescribed;
ALTER TABLE images DROP COLUMN dominant_color;
