package catalogindex

import (
	"slices"
	"strings"

	"gatefold/domain/catalog"
)

// dictionary knows in whose names each word is.
type dictionary struct {
	numbers  map[string]uint32 // of words
	words    []string
	postings [][]uint32 // by word: the subjects that have it, in no order
}

func newDictionary() dictionary { return dictionary{numbers: map[string]uint32{}} }

// wordsOf returns the words of the names, each once.
func wordsOf(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, catalog.Words(name)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (d *dictionary) add(word string, subject uint32) {
	n, ok := d.numbers[word]
	if !ok {
		n = uint32(len(d.words))
		word = strings.Clone(word)
		d.numbers[word] = n
		d.words, d.postings = append(d.words, word), append(d.postings, nil)
	}
	d.postings[n] = append(d.postings[n], subject)
}

// remove leaves a word that nobody has any more: few words are like that.
func (d *dictionary) remove(word string, subject uint32) {
	n, ok := d.numbers[word]
	if !ok {
		return
	}
	posting := d.postings[n]
	if i := slices.Index(posting, subject); i >= 0 {
		posting[i] = posting[len(posting)-1]
		d.postings[n] = posting[:len(posting)-1]
	}
}

// matches are those who match a term.
type matches struct {
	contain set // a word contains the term
	start   set // a word starts with it
}

// matching returns who has words with the term.
func (d *dictionary) matching(term string, size int) matches {
	m := matches{newSet(size), newSet(size)}
	for n, word := range d.words {
		if !strings.Contains(word, term) {
			continue
		}
		starts := catalog.Starts(word, term)
		for _, subject := range d.postings[n] {
			m.contain.add(subject)
			if starts {
				m.start.add(subject)
			}
		}
	}
	return m
}
