-- An upload that was withdrawn is not offered any more, and stays in the history.
-- The background position is a hint for pages that show the background by CSS.

-- +goose Up
ALTER TABLE images ADD COLUMN withdrawn integer NOT NULL DEFAULT 0;
ALTER TABLE artists ADD COLUMN background_position text NOT NULL DEFAULT '';
-- Forgetting an image asks who points to it.
CREATE INDEX history_of_image ON history (image_id);
CREATE INDEX slots_image ON slots (image_id);

-- +goose Down
DROP INDEX slots_image;
DROP INDEX history_of_image;
ALTER TABLE artists DROP COLUMN background_position;
ALTER TABLE images DROP COLUMN withdrawn;
