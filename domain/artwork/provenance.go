package artwork

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Provenance is what is known of the rights in an image, and who said so. The zero
// value says that nothing is known.
type Provenance struct {
	Licence     string
	Attribution string // whom the licence wants to be named
	SourcePage  string // where people can read about the image; http or https
	StatedBy    Witness
}

// Witness is who said what is known of an image's rights. The zero value is nobody.
type Witness uint8

// The witnesses.
const (
	// StatedByProvider: the provider that offered the image.
	StatedByProvider Witness = iota + 1
	// StatedByCaller: who applied it, instead of the provider or beyond it.
	StatedByCaller
)

var witnessNames = [...]string{StatedByProvider: "provider", StatedByCaller: "caller"}

// String returns "provider" or "caller"; "" for nobody.
func (w Witness) String() string { return name(witnessNames[:], int(w)) }

// ParseWitness reads what String writes.
func ParseWitness(s string) (Witness, error) {
	if s == "" {
		return 0, nil
	}
	i, ok := parse(witnessNames[:], s)
	if !ok {
		return 0, Errorf(InvalidInput, "%.64q is not a witness: use provider or caller", s)
	}
	return Witness(i), nil
}

// The most that is stated of an image, in characters.
const (
	MaxLicence     = 500
	MaxAttribution = 1000
	MaxSourcePage  = 2000
)

// IsZero reports whether nothing is known, whoever said it.
func (p Provenance) IsZero() bool {
	return p.Licence == "" && p.Attribution == "" && p.SourcePage == ""
}

// Check returns an InvalidInput error unless each text is a line of at most as many
// characters as there may be, and the page, if one is named, can be opened in a
// browser and carries no password.
func (p Provenance) Check() error {
	for _, text := range [...]struct {
		what, value string
		most        int
	}{{"licence", p.Licence, MaxLicence}, {"attribution", p.Attribution, MaxAttribution}, {"sourcePage", p.SourcePage, MaxSourcePage}} {
		if err := checkLine(text.what, text.value, text.most); err != nil {
			return err
		}
	}
	if p.SourcePage == "" {
		return nil
	}
	page, err := url.Parse(p.SourcePage)
	if err != nil || page.Scheme != "http" && page.Scheme != "https" || page.Hostname() == "" || page.User != nil {
		return Errorf(InvalidInput, "sourcePage must be an address that begins with https:// or http://, without a password")
	}
	return nil
}

// checkLine returns an InvalidInput error unless the text is a line of at most so many
// characters.
func checkLine(what, text string, most int) error {
	if err := CheckText(what, text); err != nil {
		return err
	}
	if utf8.RuneCountInString(text) > most {
		return Errorf(InvalidInput, "%s has more than %d characters", what, most)
	}
	if strings.ContainsFunc(text, isBreak) {
		return Errorf(InvalidInput, "%s contains a control character", what)
	}
	return nil
}

// isBreak reports whether a character ends a line or controls the one who shows it.
func isBreak(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// Line returns text from elsewhere as a line of at most so many characters: valid
// text, in which what separates words is one space, cut with an ellipsis.
func Line(text string, most int) string {
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsSpace(r) || isBreak(r)
	}), " ")
	if utf8.RuneCountInString(text) > most {
		return string([]rune(text)[:most-1]) + "…"
	}
	return text
}

// Stated returns what is known once a caller has stated something, who need not say
// all: what they leave out is as it was known. What says the same as was known before
// has its witness; all else is the caller's word.
func (p Provenance) Stated(word Provenance) Provenance {
	merged := p
	for _, field := range [...]struct {
		known *string
		word  string
	}{{&merged.Licence, word.Licence}, {&merged.Attribution, word.Attribution}, {&merged.SourcePage, word.SourcePage}} {
		if field.word != "" {
			*field.known = field.word
		}
	}
	if merged != p {
		merged.StatedBy = StatedByCaller
	}
	return merged
}

// Provenance returns what is known of the rights in the image.
func (r Record) Provenance() Provenance {
	return Provenance{Licence: r.Licence, Attribution: r.Attribution, SourcePage: r.SourcePage, StatedBy: r.StatedBy}
}

// WithProvenance returns the record with what is known of the rights in the image.
func (r Record) WithProvenance(p Provenance) Record {
	r.Licence, r.Attribution, r.SourcePage, r.StatedBy = p.Licence, p.Attribution, p.SourcePage, p.StatedBy
	return r
}

// Learned returns the record with what another one of the same image states of the
// rights in it, and whether that is news. What was stated later counts, but no
// provider takes back what a caller said, and nobody unsays anything by silence.
func (r Record) Learned(from Record) (Record, bool) {
	known, news := r.Provenance(), from.Provenance()
	if news.StatedBy == 0 || news.StatedBy < known.StatedBy || news == known {
		return r, false
	}
	return r.WithProvenance(news), true
}
