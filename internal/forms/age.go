package forms

// Age with its basis: how old somebody is on a day, from a date of birth or
// from an age that was given on an earlier day, and who counts as a child.

import "time"

// Majority is the age from which a person is no child (CRC art. 1).
const Majority = 18

// PresumedChild is the basis of age that makes every rule treat the person as
// under 18 (CRC General Comment 6, §31 (i): the benefit of the doubt).
const PresumedChild = "presumed_child"

// AgeAt gives the whole years of an age answer on the date of t in its own
// time zone; ok is false when the answer does not say. An age in years and
// months grows with the whole months since it was observed, so it is never
// too high.
func AgeAt(age map[string]any, t time.Time) (years int, ok bool) {
	day, ok := parseDate(Today(t))
	if !ok {
		return 0, false
	}
	return ageAt(age, day)
}

// IsChild tells whether a person counts as a child on a date. A presumed
// child does, whatever the years; known is false when neither basis nor age
// says anything, and then the person must be treated as a child.
func IsChild(age map[string]any, basis string, t time.Time) (child, known bool) {
	if own, _ := age["basis"].(string); basis == PresumedChild || own == PresumedChild {
		return true, true
	}
	years, ok := AgeAt(age, t)
	if !ok {
		return true, false
	}
	return years < Majority, true
}

func ageAt(age map[string]any, day int) (years int, ok bool) {
	if dob, isText := age["dob"].(string); isText && dob != "" {
		from, ok := parseDate(dob)
		if !ok {
			return 0, false
		}
		return yearsBetween(from, day)
	}
	n, ok := toNumber(age["years"])
	if !ok || n < 0 || n > 1000 {
		return 0, false
	}
	months := int(n) * 12
	if m, ok := toNumber(age["months"]); ok && m >= 0 && m < 12 {
		months += int(m)
	}
	if observed, isText := age["observed_on"].(string); isText && observed != "" {
		from, ok := parseDate(observed)
		if !ok {
			return 0, false
		}
		months += monthsBetween(from, day)
	}
	if months < 0 {
		return 0, false
	}
	return months / 12, true
}

// monthsBetween counts whole months, downwards also into the past.
func monthsBetween(from, to int) int {
	y1, m1, d1 := civilFromDays(from)
	y2, m2, d2 := civilFromDays(to)
	n := (y2-y1)*12 + m2 - m1
	if d2 < d1 {
		n--
	}
	return n
}
