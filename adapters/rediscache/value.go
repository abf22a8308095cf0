package rediscache

import (
	"encoding/json"
	"time"

	"gatefold/domain/artwork"
)

// The first byte of a stored value.
const (
	valueMark  = '{'
	absentMark = 'A'
	leaseMark  = 'L'
	fenceMark  = 'F'
)

// absentValue is what an empty slot is stored as.
const absentValue = string(absentMark)

// state is what a key is found in.
type state uint8

const (
	holdsUnknown state = iota // nothing that this release can read
	holdsValue                // of an image or of an empty slot
	holdsLease
	holdsFence
)

// stateOf returns the state that what a key holds stands for.
func stateOf(held string) state {
	switch {
	case held == "":
		return holdsUnknown
	case isValue(held), held == absentValue:
		return holdsValue
	case held[0] == leaseMark:
		return holdsLease
	case held[0] == fenceMark:
		return holdsFence
	default:
		return holdsUnknown
	}
}

// storedImage is the JSON of an image in force. Operators read it with
// redis-cli, and the first six fields are what other systems rely on. Fields
// may be added; the meaning of one is never changed.
type storedImage struct {
	FilePath     string              `json:"filePath"`
	MIMEType     string              `json:"mimeType"`
	Size         int64               `json:"size"`
	LastModified time.Time           `json:"lastModified"`
	Source       artwork.Source      `json:"source"`
	Tag          artwork.Tag         `json:"tag"`
	Hash         artwork.Hash        `json:"hash"`
	RecordID     artwork.ID          `json:"recordId"`
	Width        int                 `json:"width"`
	Height       int                 `json:"height"`
	ThumbHash    []byte              `json:"thumbhash,omitempty"`
	Color        artwork.Color       `json:"dominantColor,omitempty"`
	Provider     string              `json:"provider,omitempty"`
	FocalPoint   *artwork.FocalPoint `json:"focalPoint,omitempty"`
	Locked       bool                `json:"locked,omitempty"`
}

func encode(img *artwork.Image) (string, error) {
	if img == nil {
		return absentValue, nil
	}
	b, err := json.Marshal(storedImage{
		FilePath: img.Hash.Path(), MIMEType: img.MIMEType, Size: img.Size,
		LastModified: img.LastModified, Source: img.Source, Tag: img.Tag,
		Hash: img.Hash, RecordID: img.RecordID, Width: img.Width, Height: img.Height,
		ThumbHash: img.ThumbHash, Color: img.DominantColor, Provider: img.Provider, FocalPoint: img.FocalPoint, Locked: img.Locked,
	})
	return string(b), err
}

// decode reads a value or an absent mark. It fails on what another release may
// have written in a form this one does not know; the caller then asks the
// database.
func decode(stored string) (*artwork.Image, error) {
	if stored == absentValue {
		return nil, nil
	}
	img, ok := scan(stored)
	if !ok {
		var err error
		if img, err = decodeAny(stored); err != nil {
			return nil, err
		}
	}
	if img.Hash.IsZero() || img.Tag == "" || img.MIMEType == "" || img.Source.String() == "" {
		return nil, artwork.Errorf(artwork.Internal, "the stored value names no image")
	}
	return img, nil
}

// decodeAny reads values in every form, also compressed ones.
func decodeAny(stored string) (*artwork.Image, error) {
	value, err := decompress(stored)
	if err != nil {
		return nil, err
	}
	var s storedImage
	if err := json.Unmarshal([]byte(value), &s); err != nil {
		return nil, err
	}
	return &artwork.Image{
		Content: artwork.Content{
			Hash: s.Hash, Size: s.Size, MIMEType: s.MIMEType,
			Width: s.Width, Height: s.Height, ThumbHash: s.ThumbHash, DominantColor: s.Color,
		},
		RecordID: s.RecordID, Tag: s.Tag, Source: s.Source, Provider: s.Provider,
		FocalPoint: s.FocalPoint, Locked: s.Locked, LastModified: s.LastModified,
	}, nil
}
