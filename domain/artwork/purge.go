package artwork

import "time"

// Purge is the wish to forget images of a place for good: their records, their part
// of the history and, unless another record refers to them, their bytes.
type Purge struct {
	Place Place
	By    Actor
	IfTag Tag // if not empty, the tag that must be in force
	// Image is a record; what is forgotten is its picture, with whatever focal point
	// and from whatever source. The zero value stands for every image of the place.
	Image ID
}

// Check returns an InvalidInput error unless the place can be.
func (p Purge) Check() error {
	if err := p.Place.Check(); err != nil {
		return err
	}
	return p.By.Check()
}

// Purge returns the state after a purge, and which of the records of the place are
// to be forgotten. What was in force gives way as by GiveWay.
//
// PreconditionFailed: the IfTag does not hold. NotFound: the place has no such
// image. After an error the state is as before.
func (s SlotState) Purge(p Purge, known []KnownRecord, now time.Time) (next SlotState, gone []Record, err error) {
	if p.IfTag != "" && p.IfTag != s.tag() {
		return s, nil, errOtherTag(p.IfTag)
	}
	var kept []KnownRecord
	purged := picturesOf(p.Image, known)
	for _, k := range known {
		if purged[k.Content.Hash] {
			gone = append(gone, k.Record)
		} else {
			kept = append(kept, k)
		}
	}
	switch {
	case len(gone) == 0 && !p.Image.IsZero():
		return s, nil, Errorf(NotFound, "the %s of the %s never was the image %s", p.Place.Slot, p.Place.Subject.Kind, p.Image)
	case s.InForce != nil && purged[s.InForce.Content.Hash]:
		next, _ = s.removed(GiveWay, kept, now)
		return next, gone, nil
	default:
		return s, gone, nil
	}
}

// picturesOf returns the content of the record with the ID, or of all.
func picturesOf(id ID, known []KnownRecord) map[Hash]bool {
	pictures := map[Hash]bool{}
	for _, k := range known {
		if id.IsZero() || k.ID == id {
			pictures[k.Content.Hash] = true
		}
	}
	return pictures
}

// Expendable returns which of the records of a place need not be kept when keep
// pictures are kept of those that were in force before. took are the records that
// took force, the latest first. Not expendable is a picture that is in force, that
// was uploaded and not withdrawn, that takes force when another is removed, or that
// never was in force: somebody may still choose it.
func (s SlotState) Expendable(known []KnownRecord, took []ID, keep int) []Record {
	spared := s.spared(known)
	former, byID := map[Hash]bool{}, map[ID]Record{}
	for _, k := range known {
		byID[k.ID] = k.Record
	}
	for _, id := range took {
		hash := byID[id].Content.Hash
		switch {
		case s.InForce != nil && hash == s.InForce.Content.Hash, former[hash]:
		case len(former) < keep:
			former[hash], spared[hash] = true, true
		default:
			former[hash] = true
		}
	}
	var expendable []Record
	for _, k := range known {
		if former[k.Content.Hash] && !spared[k.Content.Hash] {
			expendable = append(expendable, k.Record)
		}
	}
	return expendable
}

// spared returns the pictures that are kept however long they were not in force.
func (s SlotState) spared(known []KnownRecord) map[Hash]bool {
	spared := map[Hash]bool{}
	if s.InForce != nil {
		spared[s.InForce.Content.Hash] = true
	}
	for _, k := range known {
		if k.Source == Custom && !k.Withdrawn {
			spared[k.Content.Hash] = true
		}
	}
	for _, source := range [...]Source{Local, External} {
		if newest := newestOf(source, known); newest != nil {
			spared[newest.Content.Hash] = true
		}
	}
	return spared
}

// Contents returns the content of the records, each once.
func Contents(records []Record) []Hash {
	var contents []Hash
	seen := map[Hash]bool{}
	for _, r := range records {
		if !seen[r.Content.Hash] {
			seen[r.Content.Hash] = true
			contents = append(contents, r.Content.Hash)
		}
	}
	return contents
}
