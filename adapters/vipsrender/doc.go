// Package vipsrender makes renditions with libvips, several times faster than without C.
//
// It is empty unless it is built with the tag vips, which needs a C compiler and the
// headers of libvips 8.13 or later.
package vipsrender
