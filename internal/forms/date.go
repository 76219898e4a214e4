package forms

// Calendar arithmetic on text dates, without time zones: a date is what the
// calendar on the wall said where the person wrote it. The day count follows
// Howard Hinnant, "chrono-compatible low-level date algorithms"
// (days_from_civil, civil_from_days), proleptic Gregorian calendar.

import "time"

const (
	// MinYear and MaxYear bound every date that may be answered.
	MinYear = 1900
	MaxYear = 2100
)

// moment is a date, or a date with a time and its offset.
type moment struct {
	day     int  // days since 1970-01-01 of the date as written
	timed   bool // has a time of day
	seconds int  // seconds since 1970-01-01T00:00:00Z, when timed
	nanos   int  // and nanoseconds
}

func daysFromCivil(y, m, d int) int {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	mp := (m + 9) % 12
	doy := (153*mp+2)/5 + d - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

func civilFromDays(z int) (y, m, d int) {
	z += 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = doy - (153*mp+2)/5 + 1
	m = (mp+2)%12 + 1
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func daysInMonth(y, m int) int {
	switch m {
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// parseDate reads exactly YYYY-MM-DD.
func parseDate(s string) (day int, ok bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	y, ok1 := digits(s[0:4])
	m, ok2 := digits(s[5:7])
	d, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || y < 1 || m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m) {
		return 0, false
	}
	return daysFromCivil(y, m, d), true
}

// parseMoment reads a date or an RFC 3339 date-time (capital T and Z, seconds
// required, up to nine digits of fraction, no leap second).
func parseMoment(s string) (m moment, ok bool) {
	if len(s) == 10 {
		day, ok := parseDate(s)
		return moment{day: day}, ok
	}
	if len(s) < 20 || len(s) > 35 || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return m, false
	}
	day, ok := parseDate(s[:10])
	hh, ok1 := digits(s[11:13])
	mm, ok2 := digits(s[14:16])
	ss, ok3 := digits(s[17:19])
	if !ok || !ok1 || !ok2 || !ok3 || hh > 23 || mm > 59 || ss > 59 {
		return m, false
	}
	rest := s[19:]
	nanos := 0
	if rest[0] == '.' {
		n := 1
		for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
			n++
		}
		if n == 1 || n > 10 {
			return m, false
		}
		nanos, _ = digits(rest[1:n])
		for i := n; i < 10; i++ {
			nanos *= 10
		}
		rest = rest[n:]
	}
	offset, ok := parseOffset(rest)
	if !ok {
		return m, false
	}
	return moment{day: day, timed: true, seconds: day*86400 + hh*3600 + mm*60 + ss - offset, nanos: nanos}, true
}

func parseOffset(s string) (seconds int, ok bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != 6 || s[3] != ':' || (s[0] != '+' && s[0] != '-') {
		return 0, false
	}
	hh, ok1 := digits(s[1:3])
	mm, ok2 := digits(s[4:6])
	if !ok1 || !ok2 || hh > 23 || mm > 59 {
		return 0, false
	}
	seconds = hh*3600 + mm*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, true
}

func digits(s string) (n int, ok bool) {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, len(s) > 0
}

// formatDay writes a day count as YYYY-MM-DD, or nothing outside the years 1–9999.
func formatDay(day int) any {
	y, m, d := civilFromDays(day)
	if y < 1 || y > 9999 {
		return nil
	}
	return string([]byte{
		byte('0' + y/1000), byte('0' + y/100%10), byte('0' + y/10%10), byte('0' + y%10), '-',
		byte('0' + m/10), byte('0' + m%10), '-', byte('0' + d/10), byte('0' + d%10),
	})
}

// compareDates orders two texts that are both dates or date-times. Two
// date-times compare as instants; a date and a date-time by the calendar day
// as written.
func compareDates(a, b string) (c int, ok bool) {
	if len(a) < 10 || len(b) < 10 || a[4] != '-' || b[4] != '-' {
		return 0, false
	}
	ma, okA := parseMoment(a)
	mb, okB := parseMoment(b)
	if !okA || !okB {
		return 0, false
	}
	if ma.timed && mb.timed {
		if ma.seconds != mb.seconds {
			return order(ma.seconds, mb.seconds), true
		}
		return order(ma.nanos, mb.nanos), true
	}
	return order(ma.day, mb.day), true
}

func order(a, b int) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// dayOf gives the calendar day of a date, a date-time, or a list of one of them.
func dayOf(v any) (day int, ok bool) {
	s, isText := single(v).(string)
	if !isText {
		return 0, false
	}
	m, ok := parseMoment(s)
	return m.day, ok
}

// yearsBetween counts whole years from one day to another: the birthday of
// 29 February is 1 March in other years. Negative spans have no answer.
func yearsBetween(from, to int) (years int, ok bool) {
	if to < from {
		return 0, false
	}
	y1, m1, d1 := civilFromDays(from)
	y2, m2, d2 := civilFromDays(to)
	years = y2 - y1
	if m2 < m1 || (m2 == m1 && d2 < d1) {
		years--
	}
	return years, true
}

// Today is the date of t on the calendar of its own time zone, YYYY-MM-DD.
func Today(t time.Time) string { return t.Format("2006-01-02") }

// nowText is t as RFC 3339 with whole seconds.
func nowText(t time.Time) string { return t.Format(time.RFC3339) }
