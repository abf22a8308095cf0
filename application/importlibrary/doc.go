// Package importlibrary reads a music folder into the catalogue and puts the
// pictures it finds there in force, as local images.
package importlibrary
