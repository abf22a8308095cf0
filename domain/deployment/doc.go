// Package deployment decides which cache settings the instances of a deployment
// follow, and how they move from one to another while they run.
//
// A move has two steps. While it is prepared, writers honour the former and the
// new settings, and readers still follow the former. Once every live instance
// does so, readers follow the new ones, and writers still honour both. Once every
// live instance does that, the former are forgotten. So at no moment does anybody
// read what some writer does not know of.
package deployment
