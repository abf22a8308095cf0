package api

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"gatefold/domain/catalog"
)

// Likeness is how much alike two names are.
type Likeness int

// The degrees of likeness.
const (
	Different Likeness = iota
	Similar            // but for punctuation, a leading article and a remark in brackets
	Same               // as a person would call it
)

// Compare returns how much a name that a service gives is like the one asked for.
func Compare(wanted, given string) Likeness {
	if catalog.FoldName(wanted) == catalog.FoldName(given) {
		return Same
	}
	a, b := loosen(wanted), loosen(given)
	short, shorter := loosen(withoutRemark(wanted)), loosen(withoutRemark(given))
	// Two remarks that differ tell two things apart.
	if a != "" && a == b || short != "" && short == b || shorter != "" && a == shorter {
		return Similar
	}
	return Different
}

// CompareAlbums is Compare for albums: neither the title nor the artist may be of
// another. An artist's name that is not known says nothing, and services have several
// names for that of compilations.
func CompareAlbums(wanted catalog.Album, artist, title string) Likeness {
	likeness := Compare(wanted.Name, title)
	if wanted.ArtistName == "" || IsVarious(wanted.ArtistName) && IsVarious(artist) {
		return likeness
	}
	return min(likeness, Compare(wanted.ArtistName, artist))
}

// SearchedArtist returns the artist to search an album with, and "" if the title alone
// has to do: the artist is not known, or is that of compilations, whom every service
// calls otherwise.
func SearchedArtist(album catalog.Album) string {
	if IsVarious(album.ArtistName) {
		return ""
	}
	return strings.TrimSpace(album.ArtistName)
}

// Alike returns what is not clearly of another name, the most like first. It changes
// found.
func Alike[T any](found []T, likeness func(T) Likeness) []T {
	found = slices.DeleteFunc(found, func(x T) bool { return likeness(x) == Different })
	slices.SortStableFunc(found, func(a, b T) int { return cmp.Compare(likeness(b), likeness(a)) })
	return found
}

// IsVarious reports whether a name is that of the album artist of compilations.
func IsVarious(name string) bool {
	switch loosen(name) {
	case "various", "variousartists", "va":
		return true
	}
	return false
}

// remark is what stands in brackets at the end: "(Deluxe Edition)".
var remark = regexp.MustCompile(`\s*(\([^()]*\)|\[[^\[\]]*\])\s*$`)

func withoutRemark(s string) string { return remark.ReplaceAllString(s, "") }

// loosen keeps the letters and digits of a name.
func loosen(s string) string {
	s = strings.ReplaceAll(catalog.FoldName(s), "&", " and ")
	if rest, ok := strings.CutPrefix(s, "the "); ok && rest != "the" {
		s = rest
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}
