package screening

// The instrument as content has it: weights, rules, classes. It never changes
// after Load.

import "slices"

// Weight says how much one indicator counts in a profile.
type Weight string

// The weights. None means that the indicator is not in the profile.
const (
	Strong Weight = "strong"
	Medium Weight = "medium"
	Weak   Weight = "weak"
	None   Weight = ""
)

// Who a rule or a profile is for.
const (
	ForAdult = "adult"
	ForChild = "child"
)

// Instrument is one version of the weights and rules. Its ID is what a
// screening keeps as its instrument version: weights that change get a new one.
type Instrument struct {
	ID         string
	Title      string
	InForce    bool
	Confidence string
	Status     string // "unverified" until somebody has read it against its source
	Source     string
	Note       string
	Indicators string // id of the code list with the indicators' words
	Profiles   []Profile
	Positive   []Threshold // a dimension is positive when one of them is met
	Unknown    Unknown
	Brief      Brief   // stage 1; an instrument may have none
	Classes    []Class // the gravest first
	Rules      []Rule  // the first that fits decides
	Dimensions []Dimension

	file  string
	rank  map[string]int // class → how grave, the lightest 0
	words map[string]words
}

// Profile is one kind of screening that the form offers.
type Profile struct {
	ID     string `json:"id"`
	For    string `json:"for,omitempty"` // adult, child, or "" when the form asks
	Scored bool   `json:"scored"`
	Status string `json:"status,omitempty"`
}

// Threshold is one way for a dimension to be positive; every part must be met.
type Threshold struct {
	Strong       int `json:"strong,omitempty"`
	Medium       int `json:"medium,omitempty"`
	Weak         int `json:"weak,omitempty"`
	MediumOrWeak int `json:"medium_or_weak,omitempty"`
}

// Unknown says when too little is known for a light class.
type Unknown struct {
	MoreThanPercent int      `json:"more_than_percent"`
	From            []string `json:"from"`
	To              string   `json:"to"`
}

// Brief is stage 1: a few questions that say whether stage 2 is needed. A
// "yes" is a sign, to reversed questions a "no".
type Brief struct {
	List      string   `json:"list"` // code list with the questions' words; "" when there is no stage 1
	Questions []string `json:"questions,omitempty"`
	Reversed  []string `json:"reversed,omitempty"`
	Status    string   `json:"status,omitempty"`
}

// Sign says whether an answer to a question is a sign.
func (b Brief) Sign(question, answer string) bool {
	if slices.Contains(b.Reversed, question) {
		return answer == No
	}
	return answer == Yes
}

// Class is one possible outcome.
type Class struct {
	ID     string `json:"id"`
	Label  string `json:"label"`
	Advice string `json:"advice"`
	Status string `json:"status,omitempty"`
}

// Rule leads to a class. Parts that are left out do not matter.
type Rule struct {
	ID     string     `json:"id"`
	For    string     `json:"for,omitempty"`
	Scored bool       `json:"scored"`        // false: it is for profiles without scoring
	Act    bool       `json:"act,omitempty"` // an act is known
	AnyYes bool       `json:"any_yes,omitempty"`
	Brief  bool       `json:"brief,omitempty"` // a sign in the brief questions
	Needs  [][]string `json:"needs,omitempty"` // of each line, one dimension must be positive
	Class  string     `json:"class"`
	Text   string     `json:"text"`
	Source string     `json:"source"`
	Status string     `json:"status,omitempty"`
}

// Dimension is a group of indicators that is positive or not as a whole.
type Dimension struct {
	ID         string      `json:"id"`
	Name       string      `json:"name"`
	Is         string      `json:"is"` // means or purpose, of the Palermo Protocol
	Indicators []Indicator `json:"indicators"`
}

// Indicator is one question with its weights.
type Indicator struct {
	Code  string `json:"code"`
	Adult Weight `json:"adult,omitempty"`
	Child Weight `json:"child,omitempty"`
}

func (i Indicator) weight(child bool) Weight {
	if child {
		return i.Child
	}
	return i.Adult
}

// Codes lists the indicators in order.
func (in *Instrument) Codes() []string {
	var out []string
	for _, d := range in.Dimensions {
		for _, i := range d.Indicators {
			out = append(out, i.Code)
		}
	}
	return out
}

func (in *Instrument) profile(id string) (Profile, bool) {
	for _, p := range in.Profiles {
		if p.ID == id {
			return p, true
		}
	}
	return Profile{}, false
}

// Grave compares classes: positive when a is graver than b.
func (in *Instrument) Grave(a, b string) int { return in.rank[a] - in.rank[b] }

// Set is every instrument of a content folder. A nil Set holds none.
type Set struct {
	all  map[string]*Instrument
	list []*Instrument
	now  *Instrument
}

// InForce is the instrument for new screenings, or nil.
func (s *Set) InForce() *Instrument {
	if s == nil {
		return nil
	}
	return s.now
}

// Instrument gives an instrument by its id.
func (s *Set) Instrument(id string) (*Instrument, bool) {
	if s == nil {
		return nil, false
	}
	in, ok := s.all[id]
	return in, ok
}

// For is the instrument that a screening was made with; the one in force when
// it names none that is known here. It is nil when there is none at all.
func (s *Set) For(version string) *Instrument {
	if in, ok := s.Instrument(version); ok {
		return in
	}
	return s.InForce()
}

// Instruments lists all, in order of their files.
func (s *Set) Instruments() []*Instrument {
	if s == nil {
		return nil
	}
	return append([]*Instrument(nil), s.list...)
}
