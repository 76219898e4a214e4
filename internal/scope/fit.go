package scope

// This file turns a fit into what people read: the estimate, its
// model-conditional interval, the coefficients and the criteria. It promises
// finite numbers or a Refusal.

import "math"

// Fit is one fitted model.
type Fit struct {
	Model    Model
	Estimate float64 // n + exp(intercept)
	Low      float64 // Wald limits on the log of the dark figure, given the model:
	High     float64 // too narrow, because the choice of model is not in them
	StdErr   float64 // of the estimate, √(e^α + e^{2α}·Var α), as Rcapture gives it
	Deviance float64
	AIC      float64
	BIC      float64 // with log of the number of people, −∞ parameters counted
	DF       int     // degrees of freedom of the residual deviance over 2^t − 1 histories
	Params   []Param
	// LogDark and VarLogDark are the intercept and its variance.
	LogDark, VarLogDark float64
}

// Param is one coefficient; at minus infinity Infinite is true and Value 0.
type Param struct {
	Set      int
	Value    float64
	Infinite bool
}

// limitDark is the largest expected dark figure that is still called a
// number; beyond it the data do not bound the estimate.
const limitDark = 1e12

const z95 = 1.959963984540054

// session is what one goroutine needs to fit models to one table after another.
type session struct {
	*fitter
	admit *admitter
	y     []float64
	n     float64
}

func newSession(t int) *session {
	return &session{fitter: newFitter(t), admit: newAdmitter(t), y: make([]float64, 1<<t)}
}

// take loads a table's counts.
func (s *session) take(counts []int64) {
	s.n = 0
	for h, c := range counts {
		s.y[h] = float64(c)
		s.n += s.y[h]
	}
	s.load(s.y)
	s.admit.load(s.y, s.star)
}

// listsSeen says whether every list still has somebody on it.
func (s *session) listsSeen() bool {
	for i := 0; i < s.t; i++ {
		if s.star[1<<i] == 0 {
			return false
		}
	}
	return true
}

// refusal says in words why an inadmissible model is not fitted.
func (a Admission) refusal(m Model, t *Table) error {
	switch {
	case !a.Exists && !a.Identifiable:
		return refuse("model %s: the overlaps determine neither an estimate nor all its parameters", m)
	case !a.Exists:
		return refuse("model %s: no finite estimate exists for this pattern of empty overlaps", m)
	default:
		return refuse("model %s: its parameters cannot be told apart with this pattern of empty overlaps", m)
	}
}

// FitModel checks and fits one model to a table.
func FitModel(t *Table, m Model) (*Fit, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	s := newSession(t.T())
	s.take(t.Counts)
	if a := s.admit.check(m); !a.OK() {
		return nil, a.refusal(m, t)
	}
	state := s.fit(m, s.y, false)
	return s.describe(m, state)
}

// describe completes a settled fit; it must be the session's last one.
func (s *session) describe(m Model, state fitState) (*Fit, error) {
	if !state.settled {
		return nil, refuse("model %s: the fit did not settle", m)
	}
	if state.dark > limitDark {
		return nil, refuse("model %s: the estimate is not bounded by these data (more than 1e12)", m)
	}
	f := &Fit{Model: m, Estimate: s.n + state.dark, LogDark: state.logDark, VarLogDark: state.varLog}
	se := math.Sqrt(math.Max(state.varLog, 0))
	f.Low = s.n + math.Exp(state.logDark-z95*se)
	f.High = s.n + math.Exp(math.Min(state.logDark+z95*se, maxLinearPre))
	f.StdErr = math.Sqrt(state.dark + state.dark*state.dark*state.varLog)
	ll, deviance, left := state.kernel, 0.0, 0
	for h, y := range s.y {
		if s.dead[h] {
			continue
		}
		left++
		lg, _ := math.Lgamma(y + 1)
		ll -= lg
		mu := s.mu[h]
		if y > 0 && mu > 0 {
			deviance += 2 * (y*math.Log(y/mu) - (y - mu))
		} else {
			deviance += 2 * mu
		}
	}
	f.Deviance, f.DF = deviance, left-len(s.finite)
	f.AIC = 2*float64(m.Size()) - 2*ll
	f.BIC = float64(m.Size())*math.Log(s.n) - 2*ll
	for _, set := range m.all() {
		f.Params = append(f.Params, Param{set, s.alpha[set], set != 0 && s.star[set] == 0})
	}
	for _, v := range []float64{f.Estimate, f.Low, f.High, f.StdErr, f.Deviance, f.AIC, f.BIC} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, refuse("model %s: the data do not bound the estimate or its interval", m)
		}
	}
	return f, nil
}

// Independence is the main-effects model: no dependence between lists at all.
func Independence(t *Table) (*Fit, error) { return FitModel(t, mainEffects(t.T())) }

// Admit says whether a model may be fitted to a table.
func Admit(t *Table, m Model) Admission {
	s := newSession(t.T())
	s.take(t.Counts)
	return s.admit.remember(m)
}
