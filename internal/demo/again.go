package demo

// Children who come back: some months or years after their case was closed they
// are met again, by the same office or another, and written down in another way.

import (
	"strings"
	"time"
)

// former is a child whose case was closed.
type former struct {
	child child
	begun time.Time
}

const (
	mostFormer  = 40                   // children who may come back
	comesBack   = 7                    // in 100 new cases
	closedAfter = 200 * 24 * time.Hour // no case is closed sooner
)

// maybeFormer makes a new story one of a child who was here before.
func (m *Maker) maybeFormer(c child, stage string, at time.Time) child {
	if stage == "closed" || len(m.former) == 0 || m.again.IntN(100) >= comesBack {
		return c
	}
	f := pick(m.again, m.former)
	if at.Sub(f.begun) < closedAfter {
		return c
	}
	c.country, c.sex, c.name, c.home = f.child.country, f.child.sex, f.child.name, f.child.home
	c.age = f.child.age + int(at.Sub(f.begun).Hours()/24/365)
	if m.again.IntN(2) == 0 { // in capitals, as on a paper from the border
		c.name = personName{Given: strings.ToUpper(c.name.GivenLatin), Family: strings.ToUpper(c.name.FamilyLatin), GivenLatin: c.name.GivenLatin, FamilyLatin: c.name.FamilyLatin}
	}
	return c
}

func (m *Maker) keepFormer(stage string, c child, begun time.Time) {
	if stage != "closed" {
		return
	}
	if m.former = append(m.former, former{c, begun}); len(m.former) > mostFormer {
		m.former = m.former[1:]
	}
}
