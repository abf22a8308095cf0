package rediscache

import (
	"encoding/base64"
	"strings"

	"gatefold/domain/artwork"
)

// scan reads a value as encode writes it, several times as fast as encoding/json,
// which takes longer than everything else that a hit costs this process. It
// reports false for every other value, whether it is JSON or not: other releases
// may write other fields, and a rare one is not worth the code.
func scan(value string) (*artwork.Image, bool) {
	s := scanner{rest: value}
	img := &artwork.Image{}
	s.expect(`{"filePath":`)
	s.text()
	s.expect(`,"mimeType":`)
	img.MIMEType = strings.Clone(s.text()) // it must not keep the whole value
	s.expect(`,"size":`)
	img.Size = s.number()
	s.expect(`,"lastModified":`)
	s.check(img.LastModified.UnmarshalText([]byte(s.text())))
	s.expect(`,"source":`)
	img.Source = parsed(&s, artwork.ParseSource)
	s.expect(`,"tag":`)
	img.Tag = artwork.Tag(strings.Clone(s.text()))
	s.expect(`,"hash":`)
	img.Hash = parsed(&s, artwork.ParseHash)
	s.expect(`,"recordId":`)
	img.RecordID = parsed(&s, artwork.ParseID)
	s.expect(`,"width":`)
	img.Width = int(s.number())
	s.expect(`,"height":`)
	img.Height = int(s.number())
	if s.accept(`,"thumbhash":`) {
		img.ThumbHash = parsed(&s, base64.StdEncoding.DecodeString)
	}
	if s.accept(`,"dominantColor":`) {
		img.DominantColor = artwork.Color(strings.Clone(s.text()))
	}
	if s.accept(`,"provider":`) {
		img.Provider = strings.Clone(s.text())
	}
	img.Locked = s.accept(`,"locked":true`)
	s.expect(`}`)
	return img, !s.failed && s.rest == ""
}

// scanner reads from the beginning of what is left. After a failure its results
// mean nothing.
type scanner struct {
	rest   string
	failed bool
}

// accept passes over the literal if it comes next.
func (s *scanner) accept(literal string) bool {
	rest, ok := strings.CutPrefix(s.rest, literal)
	if ok {
		s.rest = rest
	}
	return ok
}

func (s *scanner) expect(literal string) {
	if !s.accept(literal) {
		s.failed = true
	}
}

// text reads a string of printable ASCII in which nothing is escaped.
func (s *scanner) text() string {
	s.expect(`"`)
	for i := range len(s.rest) {
		switch c := s.rest[i]; {
		case c == '"':
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			return text
		case c == '\\' || c < ' ' || c > '~':
			s.failed = true
			return ""
		}
	}
	s.failed = true
	return ""
}

// number reads a whole number of at most 18 digits, which an int64 holds.
func (s *scanner) number() int64 {
	digits := 0
	var n int64
	for digits < len(s.rest) && '0' <= s.rest[digits] && s.rest[digits] <= '9' {
		n = n*10 + int64(s.rest[digits]-'0')
		digits++
	}
	if digits == 0 || digits > 18 || digits > 1 && s.rest[0] == '0' {
		s.failed = true
	}
	s.rest = s.rest[digits:]
	return n
}

func (s *scanner) check(err error) { s.failed = s.failed || err != nil }

// parsed reads a string that stands for something.
func parsed[T any](s *scanner, parse func(string) (T, error)) T {
	v, err := parse(s.text())
	s.check(err)
	return v
}
