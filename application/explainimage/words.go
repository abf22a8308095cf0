package explainimage

import "gatefold/domain/artwork"

var rules = map[artwork.Rule]string{
	artwork.RuleChosen:    "A person chose this image. It stays until a person applies, restores or removes an image; no scan and no fill replaces it.",
	artwork.RuleScanned:   "A scan of the library found this image. A scan fills an empty slot and replaces what a scan found; a person's choice replaces it.",
	artwork.RuleFilled:    "The slot was empty and not locked, and a fill of missing artwork chose this image.",
	artwork.RuleNext:      "The image before was removed, and this one was next in the order of sources.",
	artwork.RuleKeptEmpty: "A person removed the image and wants the slot empty: no scan and no fill puts one in force.",
	artwork.RuleLocked:    "The slot is empty and locked: only a person's choice puts an image in force.",
	artwork.RuleRemoved:   "The image that was in force was removed, and nothing was next.",
	artwork.RuleEmpty:     "No image has ever been in force.",
}

var reasons = map[artwork.Reason]string{
	artwork.ReasonWithdrawn: "The upload was taken back.",
	artwork.ReasonReplaced:  "It was in force until another image replaced it.",
	artwork.ReasonRemoved:   "It was in force until it was removed.",
	artwork.ReasonNotChosen: "It was uploaded, and never chosen.",
	artwork.ReasonKeptEmpty: "A person wants the slot empty.",
	artwork.ReasonLocked:    "The slot is locked: only a person's choice changes it.",
	artwork.ReasonChosen:    "A person chose the image in force, and nobody chose this one.",
	artwork.ReasonPriority:  "The image in force comes from a source that goes first, or was preferred when both were found.",
	artwork.ReasonNoTurn:    "It did not take force when it was found, and has not been found since.",
}

// Words returns the rule in a sentence for people.
func Words(rule artwork.Rule) string { return rules[rule] }

// WhyNot returns the reason in a sentence for people.
func WhyNot(reason artwork.Reason) string { return reasons[reason] }
