package artwork

import (
	"strings"
	"unicode/utf8"
)

// CheckText returns an InvalidInput error for what cannot be kept as text: what
// is not valid UTF-8, and NUL characters. what names the field in the message.
func CheckText(what, text string) error {
	if !utf8.ValidString(text) {
		return Errorf(InvalidInput, "%s is not valid UTF-8", what)
	}
	if strings.ContainsRune(text, 0) {
		return Errorf(InvalidInput, "%s contains a NUL character", what)
	}
	return nil
}
