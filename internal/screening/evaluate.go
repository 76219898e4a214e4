package screening

// From answers to a result. web/app/src/screening/evaluate.ts does the same,
// line by line.

import "slices"

// Answers to an indicator. Anything else counts as not asked.
const (
	Yes     = "yes"
	No      = "no"
	Open    = "unknown"
	Refused = "refused"
)

// Input is what one screening says.
type Input struct {
	Profile string `json:"profile"`
	// AdultCertain is the answer to "certainly 18 or older?"; nil when it was
	// not asked.
	AdultCertain *bool             `json:"adult_certain,omitempty"`
	Answers      map[string]string `json:"answers"`                 // indicator → yes, no, unknown, refused
	Brief        map[string]string `json:"brief,omitempty"`         // the same for the brief questions
	Act          []string          `json:"act"`                     // what was done to bring the person here
	ObservedOnly bool              `json:"observed_only,omitempty"` // nothing was asked, somebody only looked
	Disputed     []string          `json:"disputed,omitempty"`      // paths of answers that two people gave differently
}

// Result is the outcome with its reasons, as codes: words belong to whoever
// shows it.
type Result struct {
	Instrument string   `json:"instrument"`
	Status     string   `json:"status,omitempty"`
	Profile    string   `json:"profile"`
	Child      bool     `json:"child"` // the rules for a child were used
	Class      string   `json:"class"`
	Rule       string   `json:"rule"`
	Scored     bool     `json:"scored"`
	Act        []string `json:"act,omitempty"`

	Dimensions []DimensionResult `json:"dimensions,omitempty"`
	Asked      *Asked            `json:"asked,omitempty"`
	Brief      *BriefResult      `json:"brief,omitempty"` // nil when none of the brief questions was answered
	// Notes say what else a reader must know: see the Note constants.
	Notes    []string `json:"notes,omitempty"`
	Disputed []string `json:"disputed,omitempty"`
	Outside  []string `json:"outside,omitempty"` // answered yes, but not in the profile
}

// DimensionResult is one dimension.
type DimensionResult struct {
	ID       string `json:"id"`
	Positive bool   `json:"positive"`
	Strong   int    `json:"strong"`
	Medium   int    `json:"medium"`
	Weak     int    `json:"weak"`
	Signs    []Sign `json:"signs,omitempty"` // answered with yes
}

// Sign is one indicator that was answered with yes, and what it weighs.
type Sign struct {
	Code   string `json:"code"`
	Weight Weight `json:"weight"`
}

// Asked counts the answers to the indicators of the profile.
type Asked struct {
	Of          int `json:"of"`
	Yes         int `json:"yes"`
	No          int `json:"no"`
	Unknown     int `json:"unknown"`
	Refused     int `json:"refused"`
	NotAsked    int `json:"not_asked"`
	OpenPercent int `json:"open_percent"` // not known, refused or not asked, rounded up
}

// BriefResult is stage 1. In its counts, Yes are the signs.
type BriefResult struct {
	Signs []string `json:"signs,omitempty"`
	Asked Asked    `json:"asked"`
}

// Notes beside a result.
const (
	NoteAge      = "age_in_doubt"    // the rules for a child were used because the age is in doubt
	NoteAct      = "act_unknown"     // no act is recorded; with one the class may be graver
	NoteOpen     = "much_unknown"    // too much is open to rule anything out
	NoteObserved = "observed_only"   // nothing was asked
	NoteDisputed = "disputed"        // two people answered differently: the answer that protects more was used
	NoteBrief    = "brief_only"      // stage 2 was not begun
	NoteOutside  = "outside_profile" // a yes does not count because it is not in the profile
	NoteProfile  = "profile_unknown" // the profile is not one of the instrument
)

// Evaluate gives the result. It never fails: what is not known is open.
func (in *Instrument) Evaluate(q Input) Result {
	profile, known := in.profile(q.Profile)
	if !known {
		profile.Scored = true // nothing to score it by: every rule for adults or children holds as far as it goes
	}
	child, doubt := childOf(profile, known, q.AdultCertain)
	r := Result{Instrument: in.ID, Status: in.Status, Profile: q.Profile, Child: child, Scored: profile.Scored, Disputed: q.Disputed}
	if len(q.Act) > 0 {
		r.Act = q.Act
	}
	if profile.Scored {
		in.score(&r, q)
	}
	in.brief(&r, q)
	in.classify(&r)
	note := func(when bool, code string) {
		if when {
			r.Notes = append(r.Notes, code)
		}
	}
	note(!known, NoteProfile)
	note(doubt, NoteAge)
	note(child && len(r.Act) == 0, NoteAct)
	note(in.muchOpen(r), NoteOpen)
	note(r.Brief != nil && r.notBegun(), NoteBrief)
	note(q.ObservedOnly, NoteObserved)
	note(len(r.Disputed) > 0, NoteDisputed)
	note(len(r.Outside) > 0, NoteOutside)
	return r
}

// childOf says whether the rules for a child hold, and whether only because the
// age is in doubt: then the person is presumed to be a child (Council of Europe
// Convention on Action against Trafficking, CETS 197, art. 10(3)).
func childOf(p Profile, known bool, certain *bool) (child, doubt bool) {
	switch {
	case p.For == ForChild:
		return true, false
	case certain != nil:
		return !*certain, !*certain
	case known && p.For == ForAdult:
		return false, false // chosen by somebody who was told to choose the child's profile in doubt
	}
	return true, true
}

// score counts what was answered in each dimension.
func (in *Instrument) score(r *Result, q Input) {
	asked := Asked{}
	for _, d := range in.Dimensions {
		out := DimensionResult{ID: d.ID}
		for _, i := range d.Indicators {
			answer, weight := q.Answers[i.Code], i.weight(r.Child)
			if weight == None {
				if answer == Yes {
					r.Outside = append(r.Outside, i.Code)
				}
				continue
			}
			asked.count(answer)
			if answer != Yes {
				continue
			}
			out.Signs = append(out.Signs, Sign{i.Code, weight})
			switch weight {
			case Strong:
				out.Strong++
			case Medium:
				out.Medium++
			case Weak:
				out.Weak++
			}
		}
		out.Positive = in.positive(out)
		r.Dimensions = append(r.Dimensions, out)
	}
	asked.share()
	r.Asked = &asked
}

// brief counts stage 1, if anything of it was answered.
func (in *Instrument) brief(r *Result, q Input) {
	out := BriefResult{}
	for _, code := range in.Brief.Questions {
		answer := q.Brief[code]
		switch {
		case in.Brief.Sign(code, answer):
			out.Signs = append(out.Signs, code)
			out.Asked.count(Yes)
		case answer == Yes || answer == No:
			out.Asked.count(No)
		default:
			out.Asked.count(answer)
		}
	}
	out.Asked.share()
	if out.Asked.NotAsked < out.Asked.Of {
		r.Brief = &out
	}
}

// notBegun says that stage 2 was to be asked, and nothing of it was.
func (r Result) notBegun() bool { return r.Asked != nil && r.Asked.NotAsked == r.Asked.Of }

// muchOpen says that too little is known to rule anything out: by stage 2, or
// by stage 1 where there is no more.
func (in *Instrument) muchOpen(r Result) bool {
	switch {
	case r.Asked == nil:
		return false
	case r.Brief != nil && r.notBegun():
		return r.Brief.Asked.OpenPercent > in.Unknown.MoreThanPercent
	}
	return r.Asked.OpenPercent > in.Unknown.MoreThanPercent
}

func (a *Asked) share() {
	if a.Of > 0 {
		a.OpenPercent = (100*(a.Unknown+a.Refused+a.NotAsked) + a.Of - 1) / a.Of
	}
}

func (a *Asked) count(answer string) {
	a.Of++
	switch answer {
	case Yes:
		a.Yes++
	case No:
		a.No++
	case Open:
		a.Unknown++
	case Refused:
		a.Refused++
	default:
		a.NotAsked++
	}
}

// positive: ILO/EC operational indicators brochure, p. 3; the numbers are content.
func (in *Instrument) positive(d DimensionResult) bool {
	return slices.ContainsFunc(in.Positive, func(t Threshold) bool {
		return d.Strong >= t.Strong && d.Medium >= t.Medium && d.Weak >= t.Weak && d.Medium+d.Weak >= t.MediumOrWeak
	})
}

// classify takes the first rule that fits. A yes outside the profile is a sign
// too, though it weighs nothing: nobody who said yes is told of no indication.
func (in *Instrument) classify(r *Result) {
	positive := map[string]bool{}
	for _, d := range r.Dimensions {
		positive[d.ID] = d.Positive
	}
	given := facts{child: r.Child, scored: r.Scored, act: len(r.Act) > 0, anyYes: r.Asked != nil && r.Asked.Yes > 0 || len(r.Outside) > 0,
		brief: r.Brief != nil && len(r.Brief.Signs) > 0, positive: positive}
	for _, rule := range in.Rules {
		if rule.fits(given) {
			r.Class, r.Rule = rule.Class, rule.ID
			break
		}
	}
	if in.muchOpen(*r) && slices.Contains(in.Unknown.From, r.Class) {
		r.Class = in.Unknown.To
	}
}

// facts are what rules look at.
type facts struct {
	child, scored, act, anyYes, brief bool
	positive                          map[string]bool
}

func (rule Rule) fits(f facts) bool {
	if rule.For == ForAdult && f.child || rule.For == ForChild && !f.child || rule.Scored != f.scored || rule.Act && !f.act || rule.AnyYes && !f.anyYes || rule.Brief && !f.brief {
		return false
	}
	for _, line := range rule.Needs {
		if !slices.ContainsFunc(line, func(d string) bool { return f.positive[d] }) {
			return false
		}
	}
	return true
}
