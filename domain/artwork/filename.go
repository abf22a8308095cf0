package artwork

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFileName is the longest name that common file systems allow, in characters.
const maxFileName = 255

// CleanFileName returns what is shown of a file's name: its last element, as
// valid text without control characters, of at most 255 characters. Names come
// from other people's file systems and browsers, which allow anything.
func CleanFileName(name string) string {
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
	if utf8.RuneCountInString(name) > maxFileName {
		name = string([]rune(name)[:maxFileName])
	}
	return name
}
