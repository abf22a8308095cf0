package activity

import (
	"bytes"
	"cmp"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// slotFacts say what a slot shows, and what guards it. Where an image was downloaded
// from is not among them: such addresses carry signatures and passwords. The page about
// it is meant for people.
type slotFacts struct {
	ImageID  artwork.ID     `json:"imageId,omitzero"`
	Tag      artwork.Tag    `json:"tag,omitempty"`
	Hash     artwork.Hash   `json:"hash,omitzero"`
	Source   artwork.Source `json:"source,omitzero"`
	Provider string         `json:"provider,omitempty"`
	Licence  string         `json:"licence,omitempty"`

	Attribution string `json:"attribution,omitempty"`
	SourcePage  string `json:"sourcePage,omitempty"`
	// StatedBy is who said so: the provider, or whoever applied the image.
	StatedBy string `json:"statedBy,omitempty"`

	FocalPoint *artwork.FocalPoint `json:"focalPoint,omitempty"`
	Locked     bool                `json:"locked"`
	KeptEmpty  bool                `json:"keptEmpty"`
	// Withdrawn is the upload that was taken back, and Purged are the contents of
	// what was forgotten: at most maxPurged of PurgedImages.
	Withdrawn    artwork.ID     `json:"withdrawn,omitzero"`
	Purged       []artwork.Hash `json:"purged,omitempty"`
	PurgedImages int            `json:"purgedImages,omitempty"`
}

// maxPurged bounds how many contents are named.
const maxPurged = 50

func factsOfSlot(state artwork.SlotState) slotFacts {
	facts := slotFacts{Locked: state.Locked, KeptEmpty: state.KeptEmpty}
	if r := state.InForce; r != nil {
		facts.ImageID, facts.Tag, facts.Hash = r.ID, artwork.TagOf(r.Content.Hash, r.FocalPoint), r.Content.Hash
		facts.Source, facts.Provider, facts.FocalPoint = r.Source, Text(r.Provider), r.FocalPoint
		facts.Licence, facts.Attribution, facts.SourcePage = Text(r.Licence), Text(r.Attribution), Text(r.SourcePage)
		facts.StatedBy = r.StatedBy.String()
	}
	return facts
}

func ofSlot(by artwork.Actor, action artwork.Action, place artwork.Place, name string, before artwork.SlotState, after slotFacts) (Entry, bool) {
	entry := Entry{
		Actor: by, Action: action, Subject: SubjectOf(place.Subject, name), Slot: place.Slot,
		Before: FactsOf(factsOfSlot(before)), After: FactsOf(after),
	}
	return entry, !bytes.Equal(entry.Before, entry.After)
}

// OfApplication returns the entry of an application; false if nobody chose it, or if
// nothing has changed that anybody could see. name is what the subject is called.
func OfApplication(a artwork.Application, name string, before, after artwork.SlotState) (Entry, bool) {
	if a.Automatic {
		return Entry{}, false
	}
	action := cmp.Or(a.Action, artwork.ActionApply)
	return ofSlot(a.By, action, a.Record.Place, name, before, factsOfSlot(after))
}

// OfRevision returns the entry of a revision; false if nothing has changed that
// anybody could see.
func OfRevision(r artwork.Revision, name string, before, after artwork.SlotState) (Entry, bool) {
	facts := factsOfSlot(after)
	facts.Withdrawn = r.Withdraw
	return ofSlot(r.By, r.Action(), r.Place, name, before, facts)
}

// OfPurge returns the entry of a purge; false if nothing was forgotten.
func OfPurge(p artwork.Purge, contents []artwork.Hash, name string, before, after artwork.SlotState) (Entry, bool) {
	facts := factsOfSlot(after)
	facts.Purged, facts.PurgedImages = contents[:min(len(contents), maxPurged)], len(contents)
	return ofSlot(p.By, artwork.ActionPurge, p.Place, name, before, facts)
}

// OfUpload returns the entry of an image that was kept and not put in force.
func OfUpload(by artwork.Actor, record artwork.Record, name string) Entry {
	return Entry{
		Actor: by, Action: artwork.ActionUpload, Subject: SubjectOf(record.Place.Subject, name), Slot: record.Place.Slot,
		After: FactsOf(struct {
			ImageID  artwork.ID     `json:"imageId"`
			Tag      artwork.Tag    `json:"tag"`
			Hash     artwork.Hash   `json:"hash"`
			Source   artwork.Source `json:"source"`
			Provider string         `json:"provider"`
			FileName string         `json:"fileName,omitempty"`
		}{
			record.ID, artwork.TagOf(record.Content.Hash, record.FocalPoint), record.Content.Hash,
			record.Source, Text(record.Provider), Text(record.FileName),
		}),
	}
}

// FactsOfArtist returns what somebody can say of an artist, in the words of the API.
func FactsOfArtist(a catalog.Artist) Facts {
	return FactsOf(struct {
		Name     string       `json:"name"`
		SortName string       `json:"sortName,omitempty"`
		MBID     catalog.MBID `json:"mbzArtistId,omitzero"`
	}{a.Name, a.SortName, a.MBID})
}

// FactsOfAlbum is FactsOfArtist for an album.
func FactsOfAlbum(a catalog.Album) Facts {
	return FactsOf(struct {
		Name             string       `json:"name"`
		ArtistID         artwork.ID   `json:"artistId"`
		Year             int          `json:"year,omitempty"`
		MBID             catalog.MBID `json:"mbzAlbumId,omitzero"`
		ReleaseGroupMBID catalog.MBID `json:"mbzReleaseGroupId,omitzero"`
	}{a.Name, a.ArtistID, a.Year, a.MBID, a.ReleaseGroupMBID})
}

// FactsOfUser is FactsOfArtist for a user.
func FactsOfUser(u catalog.User) Facts {
	return FactsOf(struct {
		Username    string       `json:"username"`
		DisplayName string       `json:"displayName,omitempty"`
		Role        catalog.Role `json:"role"`
	}{u.Username, u.DisplayName, u.Role})
}

// OfBackgroundPosition returns the entry of another position of an artist's
// background; false if it is the same.
func OfBackgroundPosition(by artwork.Actor, artist catalog.Artist, position string) (Entry, bool) {
	facts := func(position string) Facts {
		return FactsOf(map[string]string{"backgroundPosition": position})
	}
	return OfSubject(by, artwork.Artist(artist.ID), artist.Name, facts(artist.BackgroundPosition), facts(position))
}

// OfSubject returns the entry of a change of the catalogue: of a subject that is new
// if before is nil. It is false if the facts are the same.
func OfSubject(by artwork.Actor, subject artwork.Subject, name string, before, after Facts) (Entry, bool) {
	entry := Entry{Actor: by, Action: CatalogUpdate, Subject: SubjectOf(subject, name), Before: before, After: after}
	if before == nil {
		entry.Action = CatalogCreate
	}
	return entry, !bytes.Equal(before, after)
}

// OfDeletion returns the entry of a subject that is in the catalogue no more; before
// is what it was.
func OfDeletion(by artwork.Actor, subject artwork.Subject, name string, before Facts) Entry {
	return Entry{Actor: by, Action: CatalogDelete, Subject: SubjectOf(subject, name), Before: before}
}

// OfRestoration returns the entry of a subject that is there again; after is what it
// is.
func OfRestoration(by artwork.Actor, subject artwork.Subject, name string, after Facts) Entry {
	return Entry{Actor: by, Action: CatalogRestore, Subject: SubjectOf(subject, name), After: after}
}
