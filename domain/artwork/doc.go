// Package artwork is the core of Gatefold: what an image is, which slot it
// fills on which subject, who may replace it, and the ports through which it is
// cached, recorded and stored.
//
// The rule everything else rests on: bytes are immutable and live under their
// hash; the only thing that changes is the pointer from a slot to a hash, and
// so the pointer is the only thing that is ever invalidated.
package artwork
