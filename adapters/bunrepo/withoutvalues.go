package bunrepo

import "strings"

// maxText bounds a statement for people to read.
const maxText = 2000

// withoutValues returns a statement with a question mark for every value that is written
// into it, and for every list of values. It is for people to read: where it is in doubt it
// leaves out more.
func withoutValues(query string) string {
	s := scanner{rest: query[:min(len(query), 8*maxText)]}
	for s.rest != "" && s.text.Len() < maxText {
		s.next()
	}
	return s.text.String()
}

// scanner reads a statement, of either dialect, bit by bit.
type scanner struct {
	rest string
	text strings.Builder
	word bool // the last byte belongs to a name or a word
}

// next takes one token.
func (s *scanner) next() {
	switch c := s.rest[0]; {
	case c == '\'':
		s.value(quotedLength(s.rest, '\'', s.escapes()))
	case c == '$' && !s.word && len(s.rest) > 1 && !isDigit(s.rest[1]):
		s.value(dollarQuotedLength(s.rest))
	case isDigit(c) && !s.word:
		s.value(len(s.rest) - len(strings.TrimLeft(s.rest, "0123456789abcdefABCDEFxX.+_")))
	case c == '"':
		s.copy(quotedLength(s.rest, '"', false))
	case strings.HasPrefix(s.rest, "--"):
		s.skip(strings.IndexByte(s.rest, '\n'))
	case strings.HasPrefix(s.rest, "/*"):
		s.skip(strings.Index(s.rest, "*/") + len("*/"))
	default:
		s.copy(1)
		s.word = isWord(c) || c == '$'
	}
}

// escapes reports whether a text that begins here may have backslashes before quotes: E'…'.
func (s *scanner) escapes() bool {
	before := s.text.String()
	return strings.HasSuffix(before, "E") || strings.HasSuffix(before, "e")
}

// value leaves out a value of so many bytes. Values of a list after the first leave
// nothing.
func (s *scanner) value(length int) {
	s.rest = s.rest[length:]
	s.word = false
	before := s.text.String()
	if trimmed := strings.TrimRight(before, ", "); strings.HasSuffix(trimmed, "?") && trimmed != before && strings.Contains(before[len(trimmed):], ",") {
		s.text.Reset()
		s.text.WriteString(trimmed)
		return
	}
	s.text.WriteByte('?')
}

func (s *scanner) copy(length int) {
	s.text.WriteString(s.rest[:length])
	s.rest = s.rest[length:]
	s.word = false
}

// skip leaves out so many bytes; all, if they are not known to end.
func (s *scanner) skip(length int) {
	if length < len("/*") {
		length = len(s.rest)
	}
	s.rest = s.rest[length:]
	s.word = false
}

// quotedLength returns how long the text is that begins with a quote; without an end, all.
func quotedLength(text string, quote byte, escapes bool) int {
	for i := 1; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\':
			i++
		case text[i] == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

// dollarQuotedLength is quotedLength for $tag$…$tag$.
func dollarQuotedLength(text string) int {
	end := strings.IndexByte(text[1:], '$')
	if end < 0 {
		return len(text)
	}
	tag := text[:end+2]
	closing := strings.Index(text[len(tag):], tag)
	if closing < 0 {
		return len(text)
	}
	return len(tag) + closing + len(tag)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_' || c >= 0x80
}
