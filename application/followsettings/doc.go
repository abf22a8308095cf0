// Package followsettings has an instance follow the cache settings that all instances
// of its deployment have agreed on, also while they change.
package followsettings
