// Package scope estimates how many people are never seen: multiple systems
// estimation over capture histories.
//
// Several lists (police, shelters, hotline …) each know some of the people we
// ask about. Who stands on two lists, and who on one only, says something
// about those on none. A [Table] holds the counts per history; [Run] gives a
// panel of estimates, their intervals, the diagnostics that have to accompany
// them, and a headline that is published, reduced to a range, or refused.
//
// What it promises:
//
//   - No number without its interval, no interval without its method, no
//     method alone. The headline is the envelope of the panel.
//   - A stated [Refusal] instead of a number wherever the data do not
//     determine one. Never NaN, never infinity.
//   - The same table, options and seed give the same bytes on any number of
//     cores: each resample has its own generator, and sums are taken in a
//     fixed order.
//   - No clock, network or database.
//
// What it cannot know: whether there is dependence among all lists at once
// (the t-way term is assumed to be zero and nothing in the data can test it),
// and anyone whom no list could ever meet. See docs/scope.md.
//
// Notation, as in the papers: t lists; a history ω is a set of lists, held as
// a bit mask (bit i for list i); N_ω its count; n the people seen at least
// once; N*_θ the people on all lists of θ, whatever else; the dark figure is
// the expected count of the empty history.
package scope
