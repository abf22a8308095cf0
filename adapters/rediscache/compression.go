package rediscache

import (
	"errors"
	"sync"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"gatefold/domain/artwork"
)

// Compression names how values are compressed before they are stored. Every
// instance reads what any of them wrote, so it can be changed while others run.
type Compression string

// The compressions.
const (
	NoCompression Compression = "none"
	LZ4           Compression = "lz4"
	Snappy        Compression = "snappy"
	Zstd          Compression = "zstd"
)

// The first byte of a compressed value. What follows is one block of the codec.
const (
	lz4Mark    = '4'
	snappyMark = 'S'
	zstdMark   = 'Z'
)

const (
	// compressFrom is the size in bytes from which compression is tried: below
	// it no codec was found to gain anything on a pointer's JSON.
	compressFrom = 1 << 10
	// maxValue bounds what a value may decompress to. A pointer is well under a
	// kilobyte; what is larger was not written by Gatefold.
	maxValue = 64 << 10
)

// Check returns an InvalidInput error unless the compression is known.
func (c Compression) Check() error {
	switch c {
	case "", NoCompression, LZ4, Snappy, Zstd:
		return nil
	}
	return artwork.Errorf(artwork.InvalidInput, "%q is not a compression: use none, lz4, snappy or zstd", string(c))
}

// zstdCodec is safe for concurrent use, and expensive to make.
var zstdCodec = sync.OnceValues(func() (*zstd.Encoder, *zstd.Decoder) {
	// The options are constant and valid: they cannot fail.
	encoder, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	decoder, _ := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxValue))
	return encoder, decoder
})

// compress returns the value as it is to be stored: compressed, if that is
// shorter.
func (c Compression) compress(value string) string {
	if len(value) < compressFrom {
		return value
	}
	var packed []byte
	switch c {
	case LZ4:
		packed = make([]byte, 1+lz4.CompressBlockBound(len(value)))
		n, err := lz4.CompressBlock([]byte(value), packed[1:], nil)
		if err != nil || n == 0 { // 0: not compressible
			return value
		}
		packed = packed[:1+n]
		packed[0] = lz4Mark
	case Snappy:
		packed = append([]byte{snappyMark}, snappy.Encode(nil, []byte(value))...)
	case Zstd:
		encoder, _ := zstdCodec()
		packed = encoder.EncodeAll([]byte(value), []byte{zstdMark})
	default:
		return value
	}
	if len(packed) >= len(value) {
		return value
	}
	return string(packed)
}

var errTooLong = errors.New("the stored value is longer than any pointer")

// decompress undoes compress, whatever compression this instance uses itself. It
// never takes more memory than maxValue.
func decompress(stored string) (string, error) {
	if stored == "" {
		return "", nil
	}
	body := []byte(stored[1:])
	switch stored[0] {
	case lz4Mark:
		plain := make([]byte, maxValue)
		n, err := lz4.UncompressBlock(body, plain)
		return string(plain[:max(n, 0)]), err
	case snappyMark:
		n, err := snappy.DecodedLen(body)
		if err != nil || n > maxValue {
			return "", errors.Join(errTooLong, err)
		}
		plain, err := snappy.Decode(nil, body)
		return string(plain), err
	case zstdMark:
		_, decoder := zstdCodec()
		plain, err := decoder.DecodeAll(body, nil)
		return string(plain), err
	default:
		return stored, nil
	}
}

// isValue reports whether a stored string is that of a value, compressed or not.
func isValue(stored string) bool {
	switch stored[0] {
	case valueMark, lz4Mark, snappyMark, zstdMark:
		return true
	}
	return false
}
