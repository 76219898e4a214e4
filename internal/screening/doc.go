// Package screening does the arithmetic of a screening: answers in, dimensions,
// a classification and the reasons for it out. It knows an instrument (weights
// and rules, which are content) and the answers of the screening form; it knows
// no case, no user, no database and no clock.
//
//	Load      reads every instrument of a content folder, and names each fault
//	InForce   the instrument that a new screening uses
//	Evaluate  the result of one set of answers
//	Describe  the instrument as the browser gets it, in one language
//
// # What holds, whatever the content says
//
//   - Not known, refused and not asked count as "no" and are reported. When too
//     many are open, "no indication" becomes "not enough information".
//   - Age in doubt is evaluated as a child.
//   - Sexual exploitation is not scored: nobody has the weights.
//   - A further "yes" never leads to a lighter class. Load tries the rules with
//     every combination of dimensions and refuses an instrument that would.
//   - A result is a proposal to the worker, who agrees, raises or lowers it; both
//     are kept. It is never shown to the person it is about.
//
// The browser evaluates the same (web/app/src/screening); testdata/vectors.json
// and random answers hold the two together.
package screening
