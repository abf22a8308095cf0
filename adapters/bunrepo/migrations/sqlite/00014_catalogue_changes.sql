-- The same as on Postgres, but that there is one writer at a time: changes are committed in the
-- order of seq.

-- +goose Up
DROP TRIGGER catalog_artist_added;
DROP TRIGGER catalog_artist_renamed;
DROP TRIGGER catalog_artist_removed;
DROP TRIGGER catalog_album_added;
DROP TRIGGER catalog_album_renamed;
DROP TRIGGER catalog_album_removed;
DROP TRIGGER catalog_user_added;
DROP TRIGGER catalog_user_renamed;
DROP TRIGGER catalog_user_removed;
DROP TRIGGER catalog_slot_added;
DROP TRIGGER catalog_slot_changed;
DROP TRIGGER catalog_slot_removed;
DROP INDEX users_beginning;
DROP INDEX artists_beginning;
DROP TABLE catalog_offsets;
DROP TABLE catalog_counts;
DROP TABLE catalog_slots;
DROP TABLE catalog_suffixes;
DROP TABLE catalog_words;
DROP INDEX artists_sorted;
DROP INDEX albums_sorted;

-- Sort keys are without letters that are no other letter with a mark (catalog.SearchForm).
UPDATE artists SET sort_key = substr(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(sort_key, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'ø', 'o'), 'ð', 'd'), 'đ', 'd'), 'ɖ', 'd'), 'ł', 'l'), 'ƚ', 'l'), 'ħ', 'h'), 'ı', 'i'), 'ɨ', 'i'), 'ȷ', 'j'), 'ĸ', 'k'), 'ŋ', 'n'), 'ŧ', 't'), 'ƀ', 'b'), 'ƶ', 'z'), 'ɵ', 'o'), 'ʉ', 'u'), 'ǥ', 'g'), 'ɇ', 'e'), 'ɍ', 'r'), 'ɏ', 'y'), 'ȼ', 'c'), 'ⱥ', 'a'), 'ɓ', 'b'), 'ɗ', 'd'), 'ƒ', 'f'), 1, 500)
WHERE sort_key GLOB '*[æœþøðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ]*';
UPDATE albums SET sort_key = substr(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(sort_key, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'ø', 'o'), 'ð', 'd'), 'đ', 'd'), 'ɖ', 'd'), 'ł', 'l'), 'ƚ', 'l'), 'ħ', 'h'), 'ı', 'i'), 'ɨ', 'i'), 'ȷ', 'j'), 'ĸ', 'k'), 'ŋ', 'n'), 'ŧ', 't'), 'ƀ', 'b'), 'ƶ', 'z'), 'ɵ', 'o'), 'ʉ', 'u'), 'ǥ', 'g'), 'ɇ', 'e'), 'ɍ', 'r'), 'ɏ', 'y'), 'ȼ', 'c'), 'ⱥ', 'a'), 'ɓ', 'b'), 'ɗ', 'd'), 'ƒ', 'f'), 1, 500)
WHERE sort_key GLOB '*[æœþøðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ]*';
UPDATE users SET sort_key = substr(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(sort_key, 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th'), 'ø', 'o'), 'ð', 'd'), 'đ', 'd'), 'ɖ', 'd'), 'ł', 'l'), 'ƚ', 'l'), 'ħ', 'h'), 'ı', 'i'), 'ɨ', 'i'), 'ȷ', 'j'), 'ĸ', 'k'), 'ŋ', 'n'), 'ŧ', 't'), 'ƀ', 'b'), 'ƶ', 'z'), 'ɵ', 'o'), 'ʉ', 'u'), 'ǥ', 'g'), 'ɇ', 'e'), 'ɍ', 'r'), 'ɏ', 'y'), 'ȼ', 'c'), 'ⱥ', 'a'), 'ɓ', 'b'), 'ɗ', 'd'), 'ƒ', 'f'), 1, 500)
WHERE sort_key GLOB '*[æœþøðđɖłƚħıɨȷĸŋŧƀƶɵʉǥɇɍɏȼⱥɓɗƒ]*';

CREATE TABLE catalog_changes (
    seq          integer PRIMARY KEY AUTOINCREMENT,
    subject_kind text NOT NULL,
    subject_id   text NOT NULL
) STRICT;

-- The last 100 000 changes are kept: who has seen none of them has to read everything.
-- +goose StatementBegin
CREATE TRIGGER catalog_forget AFTER INSERT ON catalog_changes
WHEN NEW.seq % 1024 = 0 BEGIN
    DELETE FROM catalog_changes WHERE seq <= NEW.seq - 100000;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_artist_added AFTER INSERT ON artists BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('artist', NEW.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_artist_changed AFTER UPDATE OF folded_name, sort_key ON artists
WHEN (OLD.folded_name, OLD.sort_key) IS NOT (NEW.folded_name, NEW.sort_key) BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('artist', NEW.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_artist_removed AFTER DELETE ON artists BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('artist', OLD.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_album_added AFTER INSERT ON albums BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('album', NEW.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_album_changed AFTER UPDATE OF artist_id, year, folded_name, sort_key ON albums
WHEN (OLD.artist_id, OLD.year, OLD.folded_name, OLD.sort_key) IS NOT (NEW.artist_id, NEW.year, NEW.folded_name, NEW.sort_key) BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('album', NEW.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_album_removed AFTER DELETE ON albums BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('album', OLD.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_user_added AFTER INSERT ON users BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('user', NEW.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_user_changed AFTER UPDATE OF folded_name, folded_display, sort_key ON users
WHEN (OLD.folded_name, OLD.folded_display, OLD.sort_key) IS NOT (NEW.folded_name, NEW.folded_display, NEW.sort_key) BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('user', NEW.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_user_removed AFTER DELETE ON users BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES ('user', OLD.id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_slot_added AFTER INSERT ON slots BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES (NEW.subject_kind, NEW.subject_id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_slot_changed AFTER UPDATE OF image_id, locked, last_modified ON slots
WHEN (OLD.image_id, OLD.locked, OLD.last_modified) IS NOT (NEW.image_id, NEW.locked, NEW.last_modified) BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES (NEW.subject_kind, NEW.subject_id);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_note_slot_removed AFTER DELETE ON slots BEGIN
    INSERT INTO catalog_changes (subject_kind, subject_id) VALUES (OLD.subject_kind, OLD.subject_id);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER catalog_note_artist_added;
DROP TRIGGER catalog_note_artist_changed;
DROP TRIGGER catalog_note_artist_removed;
DROP TRIGGER catalog_note_album_added;
DROP TRIGGER catalog_note_album_changed;
DROP TRIGGER catalog_note_album_removed;
DROP TRIGGER catalog_note_user_added;
DROP TRIGGER catalog_note_user_changed;
DROP TRIGGER catalog_note_user_removed;
DROP TRIGGER catalog_note_slot_added;
DROP TRIGGER catalog_note_slot_changed;
DROP TRIGGER catalog_note_slot_removed;
DROP TABLE catalog_changes;
CREATE INDEX artists_sorted ON artists (sort_key, id);
CREATE INDEX albums_sorted ON albums (sort_key, id);

-- As in 00013.
CREATE TABLE catalog_words (
    kind       text NOT NULL,
    word       text NOT NULL,
    subject_id text NOT NULL,
    PRIMARY KEY (kind, word, subject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_suffixes (
    kind   text NOT NULL,
    suffix text NOT NULL,
    word   text NOT NULL,
    starts integer NOT NULL, -- the suffix is the whole word, or follows punctuation
    PRIMARY KEY (kind, suffix, word)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_slots (
    subject_id text NOT NULL,
    slot       text NOT NULL,
    sort_key   text NOT NULL,
    source     text NOT NULL DEFAULT '', -- of the image in force, '' if there is none
    pixels     integer NOT NULL DEFAULT 0, -- its resolution
    low        integer NOT NULL DEFAULT 0, -- it is less than the slot is best in
    locked     integer NOT NULL DEFAULT 0,
    PRIMARY KEY (subject_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_counts (
    slot   text NOT NULL,
    source text NOT NULL,
    low    integer NOT NULL,
    locked integer NOT NULL,
    n      integer NOT NULL,
    PRIMARY KEY (slot, source, low, locked)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_offsets (n integer PRIMARY KEY) STRICT;
INSERT INTO catalog_offsets WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 200) SELECT n FROM numbers;

INSERT INTO catalog_words
SELECT DISTINCT 'artist', substr(w.value, 1, 200), s.id FROM artists AS s, json_each('[' || replace(json_quote(s.folded_name || ' ' || s.sort_key), ' ', '","') || ']') AS w WHERE w.value <> '' ORDER BY 2, 3;
INSERT INTO catalog_words
SELECT DISTINCT 'album', substr(w.value, 1, 200), s.id FROM albums AS s, json_each('[' || replace(json_quote(s.folded_name || ' ' || s.sort_key), ' ', '","') || ']') AS w WHERE w.value <> '' ORDER BY 2, 3;
INSERT INTO catalog_words
SELECT DISTINCT 'user', substr(w.value, 1, 200), s.id FROM users AS s, json_each('[' || replace(json_quote(s.folded_name || ' ' || s.folded_display), ' ', '","') || ']') AS w WHERE w.value <> '' ORDER BY 2, 3;
INSERT INTO catalog_suffixes
SELECT w.kind, substr(w.word, o.n), w.word, o.n = 1 OR instr('!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~¡¿«»·', substr(w.word, o.n - 1, 1)) > 0
FROM (SELECT DISTINCT kind, word FROM catalog_words) AS w JOIN catalog_offsets AS o ON o.n <= length(w.word)
ORDER BY 1, 2, 3;

INSERT INTO catalog_slots
SELECT u.id, u.slot, u.sort_key, coalesce(i.source, ''), coalesce(i.pixels, 0), coalesce(i.pixels < CASE u.slot WHEN 'background' THEN 1920 WHEN 'logo' THEN 800 WHEN 'avatar' THEN 500 ELSE 1000 END, 0), coalesce(s.locked, 0)
FROM (
    SELECT 'artist' AS kind, s.id, t.value AS slot, s.sort_key FROM artists AS s, json_each('["profile","background","banner","logo"]') AS t
    UNION ALL
    SELECT 'album', id, 'cover', sort_key FROM albums
    UNION ALL
    SELECT 'user', id, 'avatar', sort_key FROM users
) AS u
LEFT JOIN slots AS s ON s.subject_kind = u.kind AND s.subject_id = u.id AND s.slot = u.slot
LEFT JOIN (SELECT id, source, CASE WHEN slot IN ('profile', 'cover', 'avatar') THEN min(width, height) ELSE width END AS pixels FROM images) AS i ON i.id = s.image_id
ORDER BY 1, 2;

INSERT INTO catalog_counts SELECT slot, source, low, locked, count(*) FROM catalog_slots GROUP BY 1, 2, 3, 4;

CREATE INDEX catalog_words_of_subject ON catalog_words (kind, subject_id, word);
CREATE INDEX catalog_suffixes_starting ON catalog_suffixes (kind, suffix, word) WHERE starts;
CREATE INDEX catalog_slots_sorted ON catalog_slots (slot, sort_key, subject_id, source, pixels, locked);
CREATE INDEX catalog_slots_source ON catalog_slots (slot, source, sort_key, subject_id);
CREATE INDEX catalog_slots_low ON catalog_slots (slot, sort_key, subject_id) WHERE low;
CREATE INDEX catalog_slots_locked ON catalog_slots (slot, sort_key, subject_id) WHERE locked;
CREATE INDEX catalog_slots_pixels ON catalog_slots (slot, pixels, subject_id) WHERE pixels > 0;
CREATE INDEX artists_beginning ON artists (substr(folded_name, 1, 100));
CREATE INDEX users_beginning ON users (substr(folded_display, 1, 100));

-- +goose StatementBegin
CREATE TRIGGER catalog_artist_added AFTER INSERT ON artists BEGIN
    INSERT INTO catalog_words
    SELECT DISTINCT 'artist', substr(w.value, 1, 200), NEW.id FROM json_each('[' || replace(json_quote(NEW.folded_name || ' ' || NEW.sort_key), ' ', '","') || ']') AS w WHERE w.value <> '';
    INSERT INTO catalog_slots (subject_id, slot, sort_key) VALUES (NEW.id, 'profile', NEW.sort_key), (NEW.id, 'background', NEW.sort_key), (NEW.id, 'banner', NEW.sort_key), (NEW.id, 'logo', NEW.sort_key);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_artist_renamed AFTER UPDATE OF folded_name, sort_key ON artists
WHEN OLD.folded_name <> NEW.folded_name OR OLD.sort_key <> NEW.sort_key BEGIN
    DELETE FROM catalog_words WHERE kind = 'artist' AND subject_id = NEW.id;
    INSERT INTO catalog_words
    SELECT DISTINCT 'artist', substr(w.value, 1, 200), NEW.id FROM json_each('[' || replace(json_quote(NEW.folded_name || ' ' || NEW.sort_key), ' ', '","') || ']') AS w WHERE w.value <> '';
    UPDATE catalog_slots SET sort_key = NEW.sort_key WHERE subject_id = NEW.id AND slot IN ('profile', 'background', 'banner', 'logo') AND sort_key <> NEW.sort_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_artist_removed AFTER DELETE ON artists BEGIN
    DELETE FROM catalog_words WHERE kind = 'artist' AND subject_id = OLD.id;
    DELETE FROM catalog_slots WHERE subject_id = OLD.id AND slot IN ('profile', 'background', 'banner', 'logo');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_album_added AFTER INSERT ON albums BEGIN
    INSERT INTO catalog_words
    SELECT DISTINCT 'album', substr(w.value, 1, 200), NEW.id FROM json_each('[' || replace(json_quote(NEW.folded_name || ' ' || NEW.sort_key), ' ', '","') || ']') AS w WHERE w.value <> '';
    INSERT INTO catalog_slots (subject_id, slot, sort_key) VALUES (NEW.id, 'cover', NEW.sort_key);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_album_renamed AFTER UPDATE OF folded_name, sort_key ON albums
WHEN OLD.folded_name <> NEW.folded_name OR OLD.sort_key <> NEW.sort_key BEGIN
    DELETE FROM catalog_words WHERE kind = 'album' AND subject_id = NEW.id;
    INSERT INTO catalog_words
    SELECT DISTINCT 'album', substr(w.value, 1, 200), NEW.id FROM json_each('[' || replace(json_quote(NEW.folded_name || ' ' || NEW.sort_key), ' ', '","') || ']') AS w WHERE w.value <> '';
    UPDATE catalog_slots SET sort_key = NEW.sort_key WHERE subject_id = NEW.id AND slot IN ('cover') AND sort_key <> NEW.sort_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_album_removed AFTER DELETE ON albums BEGIN
    DELETE FROM catalog_words WHERE kind = 'album' AND subject_id = OLD.id;
    DELETE FROM catalog_slots WHERE subject_id = OLD.id AND slot IN ('cover');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_user_added AFTER INSERT ON users BEGIN
    INSERT INTO catalog_words
    SELECT DISTINCT 'user', substr(w.value, 1, 200), NEW.id FROM json_each('[' || replace(json_quote(NEW.folded_name || ' ' || NEW.folded_display), ' ', '","') || ']') AS w WHERE w.value <> '';
    INSERT INTO catalog_slots (subject_id, slot, sort_key) VALUES (NEW.id, 'avatar', NEW.sort_key);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_user_renamed AFTER UPDATE OF folded_name, folded_display, sort_key ON users
WHEN OLD.folded_name <> NEW.folded_name OR OLD.folded_display <> NEW.folded_display OR OLD.sort_key <> NEW.sort_key BEGIN
    DELETE FROM catalog_words WHERE kind = 'user' AND subject_id = NEW.id;
    INSERT INTO catalog_words
    SELECT DISTINCT 'user', substr(w.value, 1, 200), NEW.id FROM json_each('[' || replace(json_quote(NEW.folded_name || ' ' || NEW.folded_display), ' ', '","') || ']') AS w WHERE w.value <> '';
    UPDATE catalog_slots SET sort_key = NEW.sort_key WHERE subject_id = NEW.id AND slot IN ('avatar') AND sort_key <> NEW.sort_key;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_user_removed AFTER DELETE ON users BEGIN
    DELETE FROM catalog_words WHERE kind = 'user' AND subject_id = OLD.id;
    DELETE FROM catalog_slots WHERE subject_id = OLD.id AND slot IN ('avatar');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_word_added AFTER INSERT ON catalog_words BEGIN
    INSERT INTO catalog_suffixes
    SELECT w.kind, substr(w.word, o.n), w.word, o.n = 1 OR instr('!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~¡¿«»·', substr(w.word, o.n - 1, 1)) > 0
    FROM (SELECT NEW.kind AS kind, NEW.word AS word) AS w JOIN catalog_offsets AS o ON o.n <= length(w.word)
    WHERE NOT EXISTS (SELECT 1 FROM catalog_suffixes AS known WHERE known.kind = NEW.kind AND known.suffix = NEW.word AND known.word = NEW.word);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_slot_added AFTER INSERT ON slots
WHEN NEW.image_id IS NOT NULL OR NEW.locked BEGIN
    UPDATE catalog_slots SET
        (source, pixels) = (SELECT coalesce(max(source), ''), coalesce(max(CASE WHEN slot IN ('profile', 'cover', 'avatar') THEN min(width, height) ELSE width END), 0) FROM images WHERE id = NEW.image_id),
        locked = NEW.locked
    WHERE subject_id = NEW.subject_id AND slot = NEW.slot;
    UPDATE catalog_slots SET low = NOT low
    WHERE subject_id = NEW.subject_id AND slot = NEW.slot AND low <> (pixels > 0 AND pixels < CASE slot WHEN 'background' THEN 1920 WHEN 'logo' THEN 800 WHEN 'avatar' THEN 500 ELSE 1000 END);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_slot_changed AFTER UPDATE OF image_id, locked ON slots
WHEN OLD.image_id IS NOT NEW.image_id OR OLD.locked <> NEW.locked BEGIN
    UPDATE catalog_slots SET
        (source, pixels) = (SELECT coalesce(max(source), ''), coalesce(max(CASE WHEN slot IN ('profile', 'cover', 'avatar') THEN min(width, height) ELSE width END), 0) FROM images WHERE id = NEW.image_id),
        locked = NEW.locked
    WHERE subject_id = NEW.subject_id AND slot = NEW.slot;
    UPDATE catalog_slots SET low = NOT low
    WHERE subject_id = NEW.subject_id AND slot = NEW.slot AND low <> (pixels > 0 AND pixels < CASE slot WHEN 'background' THEN 1920 WHEN 'logo' THEN 800 WHEN 'avatar' THEN 500 ELSE 1000 END);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_slot_removed AFTER DELETE ON slots BEGIN
    UPDATE catalog_slots SET source = '', pixels = 0, low = 0, locked = 0 WHERE subject_id = OLD.subject_id AND slot = OLD.slot;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_count_added AFTER INSERT ON catalog_slots BEGIN
    INSERT INTO catalog_counts VALUES (NEW.slot, NEW.source, NEW.low, NEW.locked, 1) ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_count_changed AFTER UPDATE OF source, low, locked ON catalog_slots BEGIN
    INSERT INTO catalog_counts VALUES (OLD.slot, OLD.source, OLD.low, OLD.locked, -1) ON CONFLICT DO UPDATE SET n = n + excluded.n;
    INSERT INTO catalog_counts VALUES (NEW.slot, NEW.source, NEW.low, NEW.locked, 1) ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER catalog_count_removed AFTER DELETE ON catalog_slots BEGIN
    INSERT INTO catalog_counts VALUES (OLD.slot, OLD.source, OLD.low, OLD.locked, -1) ON CONFLICT DO UPDATE SET n = n + excluded.n;
END;
-- +goose StatementEnd
