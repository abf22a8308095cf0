// Package announce tells clients what has changed, on every instance, whichever
// made the change.
//
// The database says what has changed, and nobody else: a change that ends only
// makes this instance look, and every instance looks now and then by itself. So no
// use case can forget to announce, and what a writer that died has committed is
// announced by the others. What is announced goes into a log that all instances
// follow. Each keeps the latest of it, from which it tells its clients, also what
// they have missed. Wherever something may be missing, they are told to reload.
package announce
