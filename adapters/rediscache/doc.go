// Package rediscache is the ImageCache that all instances share, on Redis.
//
// The first byte of a key's value tells its state:
//
//	{  the image in force, as JSON          TTL: 90 to 100 % of CACHE_TTL
//	4, S, Z  the same, compressed by LZ4, Snappy or zstd
//	A  known to have no image               TTL: at most 30 s
//	L  a lease: one reader is filling       TTL: 3 s
//	F  a fence: changes are under way       TTL: until the last of them expires
//
// A reader that finds nothing takes the lease, loads, and stores only if the
// key still holds its lease. A writer puts its token into the key's fence before
// it commits and takes it out afterwards. So nothing read before a commit can
// be stored after it. Every operation works on a single key, so the same code
// is right on a cluster. The scripts are idempotent by their token and may be
// repeated.
package rediscache
