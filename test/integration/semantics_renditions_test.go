package integration

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

const thumbPath = coverPath + "?size=thumb"

// representations are the thumbs of the cover, by format.
func (x *exhibit) representations() map[string]answer {
	all := map[string]answer{}
	for _, format := range []string{"jpeg", "png", "webp", "avif"} {
		a := x.get(thumbPath + "&format=" + format)
		require.Equal(x.t, http.StatusOK, a.StatusCode, string(a.body))
		all[format] = a
	}
	return all
}

// renditions are negotiated by Accept, or named, and have all that originals have.
func (x *exhibit) renditions() []exchange {
	shown := x.representations()
	served := func(format string, vary string) map[string]string {
		a := shown[format]
		return map[string]string{
			"Content-Type": "image/" + format, "ETag": a.Header.Get("ETag"), "Content-Length": itoa(len(a.body)), "Vary": vary, "Accept-Ranges": "bytes",
			"Cache-Control": "no-cache", "Last-Modified": x.modified,
		}
	}
	var exchanges []exchange
	for accept, format := range map[string]string{
		"image/avif": "avif", "image/webp": "webp", "image/png": "png", "image/jpeg": "jpeg", "*/*": "jpeg", "image/*": "jpeg",
		"IMAGE/WebP": "webp", "image/avif, image/webp": "avif", "image/avif;q=0.8, image/webp": "webp", "image/avif,image/webp,image/apng,image/*,*/*;q=0.8": "avif",
		"image/webp, */*;q=0.5": "webp", "image/webp;q=0.5, */*": "jpeg", "image/avif;q=0, */*": "jpeg", "image/webp;q=0, image/*": "jpeg", "image/avif;q=0, image/webp;q=0, */*;q=0.1": "jpeg",
		"image/avif;q=0, image/webp": "webp", "image/jpeg;q=0, image/png": "png", "image/jpeg;q=0, */*": "png", "image/webp;q=0.001, image/jpeg;q=0": "webp", "image/avif;q=1.5, */*": "jpeg",
		// Whoever accepts nothing that there is gets what everybody can show.
		"text/html": "jpeg", "image/gif": "jpeg", "*/*;q=0": "jpeg", "image/jpeg;q=0": "jpeg", "image/svg+xml, text/*": "jpeg", "nonsense": "jpeg", ";q=": "jpeg", ",": "jpeg",
	} {
		exchanges = append(exchanges, exchange{name: "Accept: " + accept, path: thumbPath, headers: "Accept: " + accept, status: http.StatusOK, body: shown[format].body, has: served(format, "Accept")})
	}
	exchanges = append(exchanges,
		exchange{name: "no Accept", path: thumbPath, status: http.StatusOK, body: shown["jpeg"].body, has: served("jpeg", "Accept")},
		exchange{name: "two lines of Accept", path: thumbPath, headers: "Accept: text/html\nAccept: image/webp", status: http.StatusOK, body: shown["webp"].body, has: served("webp", "Accept")},
		exchange{name: "an original is not negotiated", headers: "Accept: image/webp", status: http.StatusOK, body: x.picture, has: map[string]string{"Vary": "", "ETag": x.etag}},
	)
	for format, a := range shown {
		exchanges = append(exchanges, x.named(format, a, served(format, ""))...)
	}
	return exchanges
}

// named are the exchanges about a representation that is named.
func (x *exhibit) named(format string, a answer, whole map[string]string) []exchange {
	path, tag, etag := thumbPath+"&format="+format, strings.Trim(x.etag, `"`), a.Header.Get("ETag")
	none, same := "If-None-Match: ", http.StatusNotModified
	head := exchange{name: "HEAD", method: http.MethodHead, path: path, status: http.StatusOK, has: whole}
	other := none + strings.Replace(etag, "."+format, ".other", 1)
	exchanges := []exchange{
		head,
		{name: "whatever Accept says", path: path, headers: "Accept: text/html", status: http.StatusOK, body: a.body, has: whole},
		{name: "the same tag", path: path, headers: none + etag, status: same, has: map[string]string{"ETag": etag, "Vary": "", "Cache-Control": "no-cache", "Last-Modified": x.modified}},
		{name: "the same tag, by HEAD", method: http.MethodHead, path: path, headers: none + etag, status: same},
		{name: "a weak tag", path: path, headers: none + "W/" + etag, status: same},
		{name: "a list", path: path, headers: none + `"a", ` + etag, status: same},
		{name: "any tag", path: path, headers: none + "*", status: same},
		{name: "the tag of the original", path: path, headers: none + x.etag, status: http.StatusOK, body: a.body, has: whole},
		{name: "the tag of another format", path: path, headers: other, status: http.StatusOK, body: a.body, has: whole},
		{name: "since then", path: path, headers: "If-Modified-Since: " + x.modified, status: same},
		{name: "must be it", path: path, headers: "If-Match: " + etag, status: http.StatusOK, body: a.body},
		{name: "must be the original", path: path, headers: "If-Match: " + x.etag, status: http.StatusPreconditionFailed},
		{name: "must be another, and is the same", path: path, headers: "If-Match: \"a\"\n" + none + etag, status: http.StatusPreconditionFailed},
		{name: "the tag in the URL", path: path + "&tag=" + tag, status: http.StatusOK, body: a.body, has: map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "ETag": etag}},
		{name: "the tag in the URL, the same", path: path + "&tag=" + tag, headers: none + etag, status: same, has: map[string]string{"Cache-Control": "public, max-age=31536000, immutable"}},
		{name: "an old tag in the URL", path: path + "&tag=0123456789abcdef", status: http.StatusOK, body: a.body, has: whole},
		{name: "the tag of a rendition in the URL is none of the image", path: path + "&tag=" + strings.Trim(etag, `"`), status: http.StatusOK, has: whole},
	}
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		exchanges = append(exchanges, exchange{name: method, method: method, path: path, status: http.StatusMethodNotAllowed, has: map[string]string{"Allow": "GET, HEAD"}})
	}
	for i := range exchanges {
		exchanges[i].name = format + ", " + exchanges[i].name
	}
	return exchanges
}

func (x *exhibit) renditionParts() []exchange {
	a := x.get(thumbPath)
	size, etag := len(a.body), a.Header.Get("ETag")
	part := func(name, headers string, from, to int) exchange {
		return exchange{name: name, path: thumbPath, headers: headers, status: http.StatusPartialContent, body: a.body[from : to+1], has: map[string]string{
			"Content-Range": fmt.Sprintf("bytes %d-%d/%d", from, to, size), "Content-Length": itoa(to + 1 - from), "ETag": etag, "Content-Type": "image/jpeg", "Vary": "Accept",
		}}
	}
	whole := func(name, headers string) exchange {
		return exchange{name: name, path: thumbPath, headers: headers, status: http.StatusOK, body: a.body, has: map[string]string{"Content-Range": ""}}
	}
	return []exchange{
		part("some", "Range: bytes=10-19", 10, 19), part("the last byte", "Range: bytes=-1", size-1, size-1), part("from there on", "Range: bytes=100-", 100, size-1),
		part("if it is this one", "Range: bytes=10-19\nIf-Range: "+etag, 10, 19), part("if it is from then", "Range: bytes=10-19\nIf-Range: "+x.modified, 10, 19),
		whole("if it is the original", "Range: bytes=10-19\nIf-Range: "+x.etag), whole("if it is this one, weakly", "Range: bytes=10-19\nIf-Range: W/"+etag),
		whole("a condition without a range", "If-Range: "+etag), whole("another unit", "Range: lines=1-2"),
		{name: "the same", path: thumbPath, headers: "Range: bytes=10-19\nIf-None-Match: " + etag, status: http.StatusNotModified},
		{name: "from the end", path: thumbPath, headers: fmt.Sprintf("Range: bytes=%d-", size), status: http.StatusRequestedRangeNotSatisfiable, has: map[string]string{"Content-Range": fmt.Sprintf("bytes */%d", size)}},
		{name: "HEAD", method: http.MethodHead, path: thumbPath, headers: "Range: bytes=0-9", status: http.StatusOK, has: map[string]string{"Content-Length": itoa(size)}},
	}
}
