package rest

import (
	"net/http"
	"time"

	"gatefold/domain/artwork"
)

// describe says what the bytes of an answer are: their type, unless it is "", because they
// are not in it, the tag of what they show, and when that has taken force, unless it has no
// date. It is done for nearly every request, so all of it takes two pieces of memory.
func describe(header http.Header, mimeType string, modified time.Time, tag artwork.Tag) {
	unprotect(header) // first: a header of few fields costs less
	text := make([]byte, 0, 128)
	text = append(append(append(text, '"'), tag...), '"')
	end := len(text)
	if !modified.IsZero() {
		text = appendHTTPDate(text, modified)
	}
	said := string(text)
	values := &[3]string{said[:end], said[end:], mimeType}
	header["Etag"] = values[0:1:1]
	if !modified.IsZero() {
		header["Last-Modified"] = values[1:2:2]
	}
	if mimeType != "" {
		header["Content-Type"] = values[2:3:3]
	}
}

const (
	weekdays = "SunMonTueWedThuFriSat"
	months   = "JanFebMarAprMayJunJulAugSepOctNovDec"
)

// appendHTTPDate is AppendFormat with http.TimeFormat (RFC 9110, section 5.6.7), which reads
// its layout anew each time.
func appendHTTPDate(text []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	text = append(append(text, threeOf(weekdays, int(t.Weekday()))...), ", "...)
	text = append(appendTwo(text, day), ' ')
	text = append(append(text, threeOf(months, int(month)-1)...), ' ')
	text = append(appendTwo(appendTwo(text, year/100), year%100), ' ')
	text = append(appendTwo(text, hour), ':')
	text = append(appendTwo(text, minute), ':')
	return append(appendTwo(text, second), " GMT"...)
}

func threeOf(names string, n int) string { return names[3*n : 3*n+3] }

func appendTwo(text []byte, n int) []byte { return append(text, byte('0'+n/10), byte('0'+n%10)) }

var byAccept = []string{"Accept"}

// varyBy adds what an answer depends on to what it does so far.
func varyBy(header http.Header, what []string) {
	if so := header["Vary"]; len(so) > 0 {
		what = append(so[:len(so):len(so)], what...)
	}
	header["Vary"] = what
}
