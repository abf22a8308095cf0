// Package verifystore holds the image store to what the database refers to: it
// finds images that are missing or damaged, and removes bytes that no record refers
// to.
//
// # What may be removed
//
// Bytes get lost if they are removed while a record refers to them, or is about
// to. That cannot happen, because of what every writer does and of what is done
// here, in this order:
//
//  1. Who records content has stored it before, and has recorded it within the
//     grace period of that or never. Every storing renews ModTime, also of bytes
//     that are there.
//  2. The only other way to a new record of some content is to copy from a record
//     of the same content, in one transaction that sees it (a focal point). Who
//     applies what he found in the archive does not record it anew, should it have
//     been purged meanwhile (artwork.Application.Known).
//  3. A removal first sets the moment since: now, less the grace period. Then it
//     asks the database, in one statement on the primary, whether any record refers
//     to the content. If none does, it removes the bytes unless they were stored at
//     since or later (artwork.ImageStore.Remove).
//
// Take a record that is there when the bytes go, or comes later, and the storing
// that it goes back to, if need be by way of the records that it was copied from.
// Was the storing at since or later, then Remove leaves the bytes alone or has come
// before it. Was it before since, then the first of these records was there before
// the database was asked, by 1; it said that no record is there any more; and from
// none, none is copied, by 2. So there is no such record.
//
// That is why it does not matter in which order the records and the store are
// listed, nor how long ago that was, nor that the list of records is read in steps
// and may miss one that is copied and forgotten meanwhile: the lists only say
// what is worth asking for. It also does not matter whether another instance removes
// at the same time.
package verifystore

import (
	"context"
	"time"

	"gatefold/domain/artwork"
)

// How long bytes that no record refers to are left alone. An upload is recorded
// within seconds of being stored; pictures of a music folder within minutes.
const (
	DefaultGrace = 24 * time.Hour
	MinGrace     = time.Hour
	MaxGrace     = 10 * 365 * 24 * time.Hour
)

// orphans knows which bytes may be removed.
type orphans struct {
	archive artwork.ImageArchive
	store   artwork.ImageStore
	grace   time.Duration
	now     func() time.Time

	renditions renditions
}

func newOrphans(archive artwork.ImageArchive, store artwork.ImageStore, stored artwork.RenditionStore, bound int64, grace time.Duration) orphans {
	return orphans{archive, store, grace, time.Now, renditions{stored, archive, bound, shortly}}
}

// since returns the moment before which content must have been stored to be
// removed.
func (o *orphans) since() time.Time { return o.now().Add(-o.grace) }

// references returns the size of all content that records refer to. It takes some
// 100 bytes of memory per image.
func (o *orphans) references(ctx context.Context) (map[artwork.Hash]int64, error) {
	referenced := map[artwork.Hash]int64{}
	err := o.archive.References(ctx, func(content artwork.Content) error {
		referenced[content.Hash] = content.Size
		return nil
	})
	return referenced, artwork.Wrap(artwork.Internal, "verifystore.References", err)
}

// remove removes content that was found to be an orphan unless it is none any more;
// it reports whether it did.
func (o *orphans) remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	refers, err := o.archive.Refers(ctx, hash)
	if err != nil || refers {
		return false, artwork.Wrap(artwork.Internal, "verifystore.Refers", err)
	}
	removed, err := o.store.Remove(ctx, hash, since)
	if err == nil && removed {
		err = o.renditions.store.RemoveRenditions(ctx, hash)
	}
	return removed, artwork.Wrap(artwork.Internal, "verifystore.Remove", err)
}
