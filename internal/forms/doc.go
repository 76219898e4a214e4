// Package forms reads forms and code lists written as YAML in the words of
// XLSForm, and holds answers against every rule in them. It knows nothing of
// cases, users or databases: content in, checked answers out.
//
// Load reads a content folder and names every fault by file, line and field.
// A Form then offers, for the life of a record:
//
//	Prefill        what it opens with: known answers, defaults
//	CheckPartial   a draft: keys, types, limits, codes
//	Missing        what still has to be answered
//	Check          a submission: every rule, calculations done here
//	CheckAmend     changes to a submission; Apply and Diff do the arithmetic
//	SplitTiers     what is sealed together; MergeTiers puts it back
//	Describe       the form as the browser gets it
//
// A Library and all it holds never change after Load: use it from as many
// goroutines as you like. The browser runs the same checks from the described
// form (web/app/src/forms); testdata/vectors.json and random trees hold the
// two evaluators together. What the browser says is a courtesy, what Check
// says is the rule.
//
// # Answers
//
// Answers are what JSON gives: string, float64, bool, []any, map[string]any,
// with the shapes listed at Type. An answer that is absent, null, "", [] or {}
// is empty; so is a text of blanks only. Checked answers have no empty ones.
// Rows of a repeat carry "_id", 4 to 64 of A–Z a–z 0–9 _ -, made by whoever
// adds the row and kept for good. Paths are dotted and count rows from 0:
// caregivers[2].age, domain.safety.level. An irrelevant answer is dropped (and
// reported only if Env.Strict), and what stands in an irrelevant group goes
// with it.
//
// # Expressions
//
// relevant, required, constraint, calculation, default and choice_filter are
// expressions of XLSForm's kind:
//
//	or and                        least binding first
//	= != < <= > >=                do not chain
//	+ -   * div mod   -x
//	'text' "text" 12 .5           text has no escapes
//	.                             the field's own answer, in a constraint
//	${name} ${a.b}                another answer
//	name                          a property of the choice, in a choice_filter
//	f(a, b)                       a function
//
// ${name} is looked for among the fields beside the rule, then outwards
// level by level, at each level also inside groups but never inside repeats.
// Further names go into it: fields of a group; of a repeat (the value is then
// the list of what each row has, empty ones left out); rows and columns of a
// matrix (* means all rows, in order of their codes); the parts of age
// (years, months, dob, observed_on, basis), location (country, adm1, adm2,
// place, lat, lon), money (amount, currency), range and daterange (from, to).
//
// # Values
//
// A value is empty, a text, a number (IEEE 754 double), true or false, a list
// or an object. Dates are texts: YYYY-MM-DD, or RFC 3339 with seconds. Empty
// text, empty list and empty object are empty. No evaluation fails: what has
// no value is empty. No result is NaN, infinite or -0; those are empty, empty
// and 0.
//
// As a condition: empty, false and 0 are false; all else is true (the text
// 'false' too).
//
// As a number: a number; true 1, false 0; a text of digits with an optional
// minus and fraction, spaces around, no exponent, at most 40 characters; a
// list of one such. All else has no number.
//
// As a text: numbers as ECMAScript writes them (1, 0.1, 1e+21), true, false,
// a list's elements with one space between, objects and empty as nothing.
//
// a = b: empty equals only empty. Two texts that are both dates compare as
// dates (see below), other texts character by character, without
// normalisation. true/false and text: by the text 'true'/'false'. Otherwise
// as numbers, if both are. A list equals what at least one of its elements
// equals. Objects equal nothing. a != b is not(a = b).
//
// a < b and so on: false if either is empty. Two dates compare as dates;
// otherwise as numbers, if both are; otherwise false. Of lists, one pair of
// elements suffices. Two date-times compare as instants; a date and a
// date-time by the calendar day as written.
//
// + - * div mod: numbers; empty if either has no number, and for division by
// 0. mod has the sign of the dividend. date - date is the days between, date ±
// number a date, number + date a date; the number loses its fraction and a
// date-time its time. A list of several has no number.
//
// # Functions
//
//	if(c, a, b)  coalesce(a, …)     coalesce: the first that is not empty
//	not(x)  true()  false()
//	selected(answer, code)          the answer is, or has in it, the code
//	count-selected(x)  count(x)     elements of a list, rows of a repeat; empty 0, else 1
//	sum(…)  min(…)  max(…)          over all elements of all arguments, empty ones left out:
//	                                sum() of nothing is 0, of anything without a number empty;
//	                                min and max of nothing are empty; all numbers, or all dates
//	today()  now()                  the writer's date, and date-time with whole seconds
//	once(x)                         in a calculation: what the field held before, else x
//	string-length(x)                Unicode code points
//	regex(x, 'pattern')             the pattern matches the whole text; see portablePattern
//	contains(x, y)  starts-with(x, y)   as texts; everything contains ''
//	concat(…)  string(x)
//	number(x)  int(x)               int: without the fraction
//	round(x[, places])              halves towards +∞; 0 to 10 places
//	date(x)                         the day of a date or date-time; days since 1970-01-01
//	date-diff-days(a, b)            a − b in days
//	add-days(date, n)
//	age-in-years(x[, at])           whole years from a date of birth, or of an age answer;
//	                                at is today() if left out. Born on 29 February: birthday on
//	                                1 March in other years. Before birth: empty
//	indexed-repeat(${field}, ${repeat}, n)   the field in the n-th row, from 1
//	position(..)                    the place of this row, from 1
//	jr:choice-name(x, '${field}')   the label of the code, or labels with ", " between
//	known('Form.field')             the newest answer of another form in the same stream
//
// and, or, if and coalesce look only at the arguments they need.
//
// # Order
//
// Relevance and calculations are computed in order of dependence, each once;
// a ring of dependence is a fault of the form. required, constraint and
// choice_filter see the settled answers. A constraint is not asked about an
// empty answer. A calculation on a field that is typed is only what the field
// opens with (Prefill).
//
// # Limits
//
// An expression has at most MaxExprLength bytes, MaxExprDepth levels and
// MaxExprNodes nodes, checked when loading; one evaluation visits at most
// MaxExprSteps nodes and list elements, all evaluations of a check together
// MaxCheckSteps; past that a value is empty and the check reports too_complex. Answers are bounded as said at MaxText and below.
//
// # The tree in JSON
//
//	{"k":"num","v":1}  {"k":"str","v":"a"}  {"k":"dot"}  {"k":"prop","v":"province"}
//	{"k":"ref","b":1,"p":["age"]}            b: how many rows deep the path starts (0 left out)
//	{"k":"call","f":"+","a":[…]}             functions and operators alike; unary minus is "neg"
//	{"k":"call","f":"indexed-repeat","a":[repeat, n],"p":["age"]}
//	{"k":"call","f":"jr:choice-name","a":[x],"l":"list id"}
//
// The source texts are XLSForm's documentation (xlsform.org/en, "Operators"
// and "Functions") and XPath 1.0 (W3C 1999); where they are silent or differ
// between tools, this page decides.
package forms
