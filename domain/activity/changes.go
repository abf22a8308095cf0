package activity

import (
	"bytes"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// slotFacts say what a slot shows, and what guards it. Where an image was downloaded
// from is not among them: such addresses carry signatures and passwords.
type slotFacts struct {
	ImageID    artwork.ID          `json:"imageId,omitzero"`
	Tag        artwork.Tag         `json:"tag,omitempty"`
	Hash       artwork.Hash        `json:"hash,omitzero"`
	Source     artwork.Source      `json:"source,omitzero"`
	Provider   string              `json:"provider,omitempty"`
	FocalPoint *artwork.FocalPoint `json:"focalPoint,omitempty"`
	Locked     bool                `json:"locked"`
	KeptEmpty  bool                `json:"keptEmpty"`
}

func factsOfSlot(state artwork.SlotState) Facts {
	facts := slotFacts{Locked: state.Locked, KeptEmpty: state.KeptEmpty}
	if r := state.InForce; r != nil {
		facts.ImageID, facts.Tag, facts.Hash = r.ID, artwork.TagOf(r.Content.Hash, r.FocalPoint), r.Content.Hash
		facts.Source, facts.Provider, facts.FocalPoint = r.Source, Text(r.Provider), r.FocalPoint
	}
	return FactsOf(facts)
}

// OfSlot returns the entry of a change of a slot; false if nothing has changed that
// anybody could see. name is what the subject is called.
func OfSlot(by artwork.Actor, action artwork.Action, place artwork.Place, name string, before, after artwork.SlotState) (Entry, bool) {
	entry := Entry{
		Actor: by, Action: action, Subject: SubjectOf(place.Subject, name), Slot: place.Slot,
		Before: factsOfSlot(before), After: factsOfSlot(after),
	}
	return entry, !bytes.Equal(entry.Before, entry.After)
}

// OfApplication is OfSlot for an application; false also if nobody chose it.
func OfApplication(a artwork.Application, name string, before, after artwork.SlotState) (Entry, bool) {
	action := a.Action
	if action == "" {
		action = artwork.ActionApply
	}
	entry, changed := OfSlot(a.By, action, a.Record.Place, name, before, after)
	return entry, changed && !a.Automatic
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

// OfSubject returns the entry of a change of the catalogue: of a subject that is new
// if before is nil. It is false if the facts are the same.
func OfSubject(by artwork.Actor, subject artwork.Subject, name string, before, after Facts) (Entry, bool) {
	entry := Entry{Actor: by, Action: CatalogUpdate, Subject: SubjectOf(subject, name), Before: before, After: after}
	if before == nil {
		entry.Action = CatalogCreate
	}
	return entry, !bytes.Equal(before, after)
}
