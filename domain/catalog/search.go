package catalog

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Rank says how well a subject matches a text; the better come first.
type Rank uint8

// The ranks.
const (
	Unmatched     Rank = iota // not at all
	Exact                     // a name of the subject is the text
	Beginning                 // what it is sorted by begins with the text
	NameBeginning             // another name of the subject begins with the text
	WordStarts                // every word of the text begins a word of the names
	Contained                 // every word of the text is part of a word of the names
)

// Search is a text that names are searched for. Its words may stand in any order;
// case, accents and composition make no difference (SearchForm). The zero value finds
// everything.
type Search struct {
	text  string
	terms []string
}

// MaxWord bounds in characters what of a word is searched.
const MaxWord = 200

// NewSearch returns the search for the text.
func NewSearch(text string) Search {
	s := Search{text: SearchForm(text)}
	for _, word := range Words(s.text) {
		if !slices.Contains(s.terms, word) {
			s.terms = append(s.terms, word)
		}
	}
	return s
}

// IsZero reports whether everything is found.
func (s Search) IsZero() bool { return s.text == "" }

// Text returns the folded text.
func (s Search) Text() string { return s.text }

// Terms returns the words of the folded text, each once and cut to MaxWord characters.
// The caller must not change them.
func (s Search) Terms() []string { return s.terms }

// Rank returns how well names match, in their SearchForm. own are the names of the subject itself,
// the first of which it is sorted by (SortKey); others are those of what it belongs to:
// the artist of an album.
func (s Search) Rank(own, others []string) Rank {
	beginning := func(name string) bool { return strings.HasPrefix(name, s.text) }
	switch i := slices.IndexFunc(own, beginning); {
	case slices.Contains(own, s.text):
		return Exact
	case i == 0:
		return Beginning
	case i > 0:
		return NameBeginning
	}
	rank := WordStarts
	for _, term := range s.terms {
		place := max(bestPlace(term, own), bestPlace(term, others))
		if place == nowhere {
			return Unmatched
		}
		if place == within {
			rank = Contained
		}
	}
	return rank
}

// place is where in a word a term was found.
type place uint8

const (
	nowhere place = iota
	within
	atStart
)

func bestPlace(term string, names []string) place {
	best := nowhere
	for _, name := range names {
		for _, word := range Words(name) {
			if best = max(best, placeIn(word, term)); best == atStart {
				return best
			}
		}
	}
	return best
}

// Starts reports whether the term starts the word, or follows punctuation in it.
func Starts(word, term string) bool { return placeIn(word, term) == atStart }

// placeIn finds the term in the word. What follows punctuation starts a word too.
func placeIn(word, term string) place {
	best := nowhere
	for from := 0; ; {
		i := strings.Index(word[from:], term)
		if i < 0 {
			return best
		}
		at := from + i
		before, size := utf8.DecodeLastRuneInString(word[:at])
		if size == 0 || strings.ContainsRune(wordBreaks, before) {
			return atStart
		}
		best = within
		_, size = utf8.DecodeRuneInString(word[at:])
		from = at + size
	}
}

// wordBreaks is the punctuation behind which a word begins.
const wordBreaks = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¿«»·"

// Words are what of a name in its SearchForm is searched, cut to MaxWord characters.
func Words(name string) []string {
	if name == "" {
		return nil
	}
	all := strings.Split(name, " ")
	for i, word := range all {
		all[i] = cut(word, MaxWord)
	}
	return all
}
