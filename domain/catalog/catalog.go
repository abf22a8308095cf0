// Package catalog knows the subjects, artists, albums and users, as far as
// artwork needs them: what they are called, how they are recognised when they
// are met again, and how they are listed.
package catalog

import (
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"gatefold/domain/artwork"
)

// MBID is the identifier that MusicBrainz gave to an artist, release or release
// group (musicbrainz.org/doc/MusicBrainz_Identifier). The zero value means that
// it is not known.
type MBID = artwork.ID

// Artist is a performer, as far as artwork needs it.
type Artist struct {
	ID       artwork.ID
	Name     string
	SortName string // as in an alphabetical list; empty: like Name
	MBID     MBID
	Missing  bool // all its music has vanished from the library
	// BackgroundPosition is how a page that shows the background by CSS is to place
	// it; "" if nobody said. Put does not write it.
	BackgroundPosition string
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// Album is a release under its album artist.
type Album struct {
	ID               artwork.ID
	ArtistID         artwork.ID
	ArtistName       string // of the artist; only read, never written
	Name             string
	Year             int // of the release; 0 if not known
	MBID             MBID
	ReleaseGroupMBID MBID
	Missing          bool
	CreatedAt        time.Time
	UpdatedAt        time.Time
}

// Role is what an account may do.
type Role string

// The roles.
const (
	RoleUser   Role = "user"   // looks at everything, and has an avatar
	RoleEditor Role = "editor" // also changes images, locks and the catalogue
	RoleAdmin  Role = "admin"  // also users, tokens, settings, cache, activity
)

// Check returns an InvalidInput error unless the role is one of them.
func (r Role) Check() error {
	switch r {
	case RoleUser, RoleEditor, RoleAdmin:
		return nil
	}
	return artwork.Errorf(artwork.InvalidInput, "%.64q is not a role: use user, editor or admin", string(r))
}

// User is both the subject of an avatar and an account.
type User struct {
	ID          artwork.ID
	Username    string
	DisplayName string
	Role        Role
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// VariousArtists is the album artist of compilations. MusicBrainz gives this
// identifier to all of them (musicbrainz.org/doc/Various_Artists).
var VariousArtists = Artist{
	Name: "Various Artists",
	MBID: artwork.MustParseID("89ad4ac3-39f7-470e-963a-56509c546377"),
}

// maxName bounds names in characters. The longest real album title has some 900.
const maxName = 1000

// CheckName returns an InvalidInput error unless s can be the name of
// something: valid UTF-8, 1 to 1000 characters, not only space, no control
// characters. what names the field in the message.
func CheckName(what, s string) error {
	switch {
	case !utf8.ValidString(s):
		return artwork.Errorf(artwork.InvalidInput, "%s is not valid UTF-8", what)
	case strings.TrimSpace(s) == "":
		return artwork.Errorf(artwork.InvalidInput, "%s is empty", what)
	case utf8.RuneCountInString(s) > maxName:
		return artwork.Errorf(artwork.InvalidInput, "%s is longer than %d characters", what, maxName)
	case strings.ContainsFunc(s, unicode.IsControl):
		return artwork.Errorf(artwork.InvalidInput, "%s contains control characters", what)
	}
	return nil
}

// Check returns an InvalidInput error unless the artist can be stored.
func (a Artist) Check() error {
	if err := CheckName("name", a.Name); err != nil {
		return err
	}
	if a.SortName != "" {
		return CheckName("sortName", a.SortName)
	}
	return nil
}

// Check returns an InvalidInput error unless the album can be stored.
func (a Album) Check() error {
	if a.ArtistID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "artistId is missing")
	}
	if a.Year < 0 || a.Year > 9999 {
		return artwork.Errorf(artwork.InvalidInput, "year is not in 0..9999")
	}
	return CheckName("name", a.Name)
}

// Check returns an InvalidInput error unless the user can be stored.
func (u User) Check() error {
	if err := CheckName("username", u.Username); err != nil {
		return err
	}
	if err := u.Role.Check(); err != nil {
		return err
	}
	if u.DisplayName != "" {
		return CheckName("displayName", u.DisplayName)
	}
	return nil
}

// positionPart is a part of a CSS background-position: a keyword, a percentage or a
// length (www.w3.org/TR/css-backgrounds-3/#background-position). Functions such as
// calc() are not accepted.
var positionPart = regexp.MustCompile(`^(?i:left|right|top|bottom|center|0|[+-]?(?:[0-9]{1,6}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(?:%|px|em|rem|vw|vh))$`)

// ParseBackgroundPosition returns the CSS background-position as it is kept: 1 to 4
// parts with single spaces between them. InvalidInput: it is none, or might be more
// than one when it is put into a page.
func ParseBackgroundPosition(s string) (string, error) {
	parts := strings.Fields(s)
	if len(s) > maxPosition || len(parts) < 1 || len(parts) > 4 {
		return "", artwork.Errorf(artwork.InvalidInput, "backgroundPosition must have 1 to 4 parts, such as \"center 20%%\"")
	}
	for _, part := range parts {
		if !positionPart.MatchString(part) {
			return "", artwork.Errorf(artwork.InvalidInput, "backgroundPosition: %q is not a keyword, a percentage or a length of CSS", part)
		}
	}
	return strings.Join(parts, " "), nil
}

const maxPosition = 100 // characters

// FoldName returns the form in which names are compared and searched: without
// case, accents and compatibility variants, with plain quotes and dashes and
// single spaces. Two spellings that a person would call the same name fold to
// the same text; a name of which folding would leave nothing keeps its marks.
//
// It is part of the data format, because identifiers are derived from it.
func FoldName(s string) string {
	// Quotes and dashes first: compatibility folding takes some of them apart.
	folded := cases.Fold().String(norm.NFKC.String(strings.Map(plainPunctuation, s)))
	folded = strings.Map(plainLetter, norm.NFKD.String(folded))
	folded = strings.Join(strings.Fields(folded), " ")
	if folded == "" {
		return strings.TrimSpace(norm.NFC.String(s))
	}
	return norm.NFC.String(folded)
}

// SearchForm returns the form in which names are searched and sorted: FoldName, and
// letters that are no other letter with a mark as they are typed without their keyboard.
// Nothing is recognised by it: Mø and Mo are two artists, whom a search for "mo" finds.
func SearchForm(name string) string { return SearchFormOf(FoldName(name)) }

// SearchFormOf is SearchForm of a name that was folded already (FoldName).
func SearchFormOf(folded string) string { return typeable.Replace(folded) }

// typeable are the letters that Unicode does not take apart, after case folding.
var typeable = strings.NewReplacer(
	"æ", "ae", "œ", "oe", "þ", "th", "ø", "o", "ð", "d", "đ", "d", "ɖ", "d", "ł", "l", "ƚ", "l", "ħ", "h", "ı", "i", "ɨ", "i", "ȷ", "j",
	"ĸ", "k", "ŋ", "n", "ŧ", "t", "ƀ", "b", "ƶ", "z", "ɵ", "o", "ʉ", "u", "ǥ", "g", "ɇ", "e", "ɍ", "r", "ɏ", "y", "ȼ", "c", "ⱥ", "a", "ɓ", "b", "ɗ", "d", "ƒ", "f",
)

// sortKeyLength bounds sort keys in characters, so that they fit into an entry of an
// index of any database.
const sortKeyLength = 500

// SortKey returns the text by whose bytes lists are ordered: the name in its SearchForm, cut.
func SortKey(name string) string { return SortKeyOf(FoldName(name)) }

// SortKeyOf is SortKey of a name that was folded already (FoldName).
func SortKeyOf(folded string) string { return cut(SearchFormOf(folded), sortKeyLength) }

// cut returns the first n characters.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func plainPunctuation(r rune) rune {
	switch r {
	case '‘', '’', '‛', '′', '`', '´', 'ʼ':
		return '\''
	case '“', '”', '„', '″':
		return '"'
	case '‐', '‑', '‒', '–', '—', '―', '−':
		return '-'
	}
	return r
}

func plainLetter(r rune) rune {
	switch {
	case unicode.IsSpace(r):
		return ' '
	case unicode.Is(unicode.Mn, r), unicode.IsControl(r):
		return -1
	}
	return r
}

// NewArtistID derives the identity of an artist met for the first time: from
// the MBID if it is known, else from the folded name. A second machine that
// reads the same music gives the same identity. An artist once known keeps its
// identity when its MBID or its name changes.
func NewArtistID(name string, mbid MBID) artwork.ID {
	if !mbid.IsZero() {
		return artwork.DeriveID("artist", "mbid", mbid.String())
	}
	return artwork.DeriveID("artist", "name", FoldName(name))
}

// NewAlbumID derives the identity of an album met for the first time, like
// NewArtistID; without an MBID from its artist and its folded name.
func NewAlbumID(artist artwork.ID, name string, mbid MBID) artwork.ID {
	if !mbid.IsZero() {
		return artwork.DeriveID("album", "mbid", mbid.String())
	}
	return artwork.DeriveID("album", "name", artist.String(), FoldName(name))
}
