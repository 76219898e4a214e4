package forms

// The evaluator: what a tree is worth for given answers. Never fails: whatever
// has no value is empty. web/app/src/forms/eval.ts is the same in TypeScript.

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// world is what an expression can see besides the answers.
type world struct {
	now   time.Time
	lang  string
	known func(path string) any
}

// evaluation is one place in the answers from which expressions are computed.
type evaluation struct {
	world  *world
	scopes []map[string]any // the whole answers, then the row at each depth
	index  int              // 1-based place of the innermost repeat's row
	self   any              // the value of "."
	prev   any              // what a calculated field held before, for once()
	choice *Code            // the choice that a choice filter looks at
	steps  int
	total  int  // steps of all evaluations so far
	spent  bool // more than MaxExprSteps steps were needed: the result is empty
}

// value computes e here. It is empty when the steps ran out (spent is set).
func (ev *evaluation) value(e *Expr) any {
	ev.steps, ev.spent = 0, ev.total > MaxCheckSteps
	v := ev.eval(e.root)
	ev.total += ev.steps
	if ev.spent {
		return nil
	}
	return v
}

func (ev *evaluation) step(n int) bool {
	ev.steps += n
	if ev.steps > MaxExprSteps {
		ev.spent = true
	}
	return !ev.spent
}

func (ev *evaluation) eval(n *node) any {
	if !ev.step(1) {
		return nil
	}
	switch n.kind {
	case kindNumber:
		return n.num
	case kindText:
		return text(n.text)
	case kindRef:
		return ev.ref(n)
	case kindSelf:
		return norm(ev.self)
	case kindProp:
		if ev.choice == nil {
			return nil
		}
		return norm(ev.choice.prop(n.text))
	}
	return ev.call(n)
}

// text makes the empty text empty.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// norm makes every kind of empty nil.
func norm(v any) any {
	if isEmpty(v) {
		return nil
	}
	return v
}

func (ev *evaluation) ref(n *node) any {
	if n.base >= len(ev.scopes) {
		return nil
	}
	return norm(ev.walk(ev.scopes[n.base], n.path))
}

// walk follows names into v; lists of rows give the list of what each row has,
// and * the values of an object in the order of its keys.
func (ev *evaluation) walk(v any, path []string) any {
	for i, name := range path {
		switch x := v.(type) {
		case map[string]any:
			if name != "*" {
				v = x[name]
				continue
			}
			all := make([]any, 0, len(x))
			for _, k := range sortedKeys(x) {
				all = append(all, x[k])
			}
			return ev.gather(all, path[i+1:])
		case []any:
			return ev.gather(x, path[i:])
		default:
			return nil
		}
	}
	return v
}

func (ev *evaluation) gather(list []any, path []string) any {
	if !ev.step(len(list)) {
		return nil
	}
	out := make([]any, 0, len(list))
	for _, e := range list {
		v := ev.walk(e, path)
		if inner, ok := v.([]any); ok {
			out = append(out, inner...)
		} else if !isEmpty(v) {
			out = append(out, v)
		}
	}
	return out
}

// call computes a function or an operator.
func (ev *evaluation) call(n *node) any {
	switch n.text {
	case "and":
		return truth(ev.eval(n.args[0])) && truth(ev.eval(n.args[1]))
	case "or":
		return truth(ev.eval(n.args[0])) || truth(ev.eval(n.args[1]))
	case "if":
		if truth(ev.eval(n.args[0])) {
			return ev.eval(n.args[1])
		}
		return ev.eval(n.args[2])
	case "coalesce":
		for _, a := range n.args {
			if v := ev.eval(a); !isEmpty(v) {
				return v
			}
		}
		return nil
	case "once":
		if !isEmpty(ev.prev) {
			return ev.prev
		}
		return ev.eval(n.args[0])
	}
	args := make([]any, len(n.args))
	for i, a := range n.args {
		args[i] = ev.eval(a)
	}
	return ev.apply(n, args)
}

func (ev *evaluation) apply(n *node, args []any) any {
	switch n.text {
	case "=":
		return ev.equal(args[0], args[1])
	case "!=":
		return !ev.equal(args[0], args[1])
	case "<", "<=", ">", ">=":
		return ev.ordered(n.text, args[0], args[1])
	case "+", "-", "*", "div", "mod":
		return arithmetic(n.text, single(args[0]), single(args[1]))
	case "neg":
		return numeric(args[0], func(f float64) float64 { return -f })
	case "not":
		return !truth(args[0])
	case "true":
		return true
	case "false":
		return false
	case "selected":
		return ev.selected(args[0], args[1])
	case "count", "count-selected":
		return float64(len(elements(args[0])))
	case "sum", "min", "max":
		return ev.aggregate(n.text, args)
	case "string-length":
		return float64(utf8.RuneCountInString(toText(args[0])))
	case "regex":
		return n.re != nil && n.re.MatchString(toText(args[0]))
	case "contains":
		return strings.Contains(toText(args[0]), toText(args[1]))
	case "starts-with":
		return strings.HasPrefix(toText(args[0]), toText(args[1]))
	case "concat":
		return concat(args)
	case "int":
		return numeric(args[0], math.Trunc)
	case "round":
		return round(args)
	case "number":
		return numeric(args[0], func(f float64) float64 { return f })
	case "string":
		return text(toText(args[0]))
	}
	return ev.applyWorld(n, args)
}

// applyWorld computes the functions of time, rows, lists and other forms.
func (ev *evaluation) applyWorld(n *node, args []any) any {
	switch n.text {
	case "today":
		return Today(ev.world.now)
	case "now":
		return nowText(ev.world.now)
	case "date":
		return toDate(args[0])
	case "date-diff-days":
		a, okA := dayOf(args[0])
		b, okB := dayOf(args[1])
		if !okA || !okB {
			return nil
		}
		return float64(a - b)
	case "add-days":
		return addDays(args[0], args[1])
	case "age-in-years":
		at := any(Today(ev.world.now))
		if len(args) == 2 {
			at = args[1]
		}
		return ageInYears(single(args[0]), at)
	case "indexed-repeat":
		return ev.indexedRepeat(n, args)
	case "jr:choice-name":
		return ev.choiceName(n.list, args[0])
	case "position":
		if ev.index > 0 {
			return float64(ev.index)
		}
		return nil
	case "known":
		if ev.world.known == nil {
			return nil
		}
		return norm(plain(ev.world.known(toText(args[0]))))
	}
	return nil
}

// equal is "=": empty equals only empty; a list equals what one of its elements equals.
func (ev *evaluation) equal(a, b any) bool {
	if isEmpty(a) || isEmpty(b) {
		return isEmpty(a) && isEmpty(b)
	}
	return ev.anyPair(a, b, equalScalars)
}

func (ev *evaluation) ordered(op string, a, b any) bool {
	if isEmpty(a) || isEmpty(b) {
		return false
	}
	return ev.anyPair(a, b, func(x, y any) bool {
		c, ok := compareScalars(x, y)
		if !ok {
			return false
		}
		switch op {
		case "<":
			return c < 0
		case "<=":
			return c <= 0
		case ">":
			return c > 0
		}
		return c >= 0
	})
}

func (ev *evaluation) anyPair(a, b any, holds func(x, y any) bool) bool {
	as, bs := elements(a), elements(b)
	if !ev.step(len(as) * len(bs)) {
		return false
	}
	for _, x := range as {
		for _, y := range bs {
			if holds(x, y) {
				return true
			}
		}
	}
	return false
}

// arithmetic is + - * div mod. Dates: date ± number is a date, date − date the
// days between. Anything without a number is empty, and so is division by 0.
func arithmetic(op string, a, b any) any {
	if op == "+" || op == "-" {
		dayA, dateA := dayOf(a)
		dayB, dateB := dayOf(b)
		switch {
		case dateA && dateB && op == "-":
			return float64(dayA - dayB)
		case dateA && dateB:
			return nil
		case dateA && op == "-":
			return shift(dayA, b, -1)
		case dateA:
			return shift(dayA, b, 1)
		case dateB && op == "+":
			return shift(dayB, a, 1)
		case dateB:
			return nil
		}
	}
	x, okX := toNumber(a)
	y, okY := toNumber(b)
	if !okX || !okY {
		return nil
	}
	switch op {
	case "+":
		return finite(x + y)
	case "-":
		return finite(x - y)
	case "*":
		return finite(x * y)
	case "div":
		return finite(x / y)
	}
	return finite(math.Mod(x, y))
}

// shift moves a day by a whole number of days.
func shift(day int, days any, sign int) any {
	n, ok := toNumber(days)
	if !ok || math.Abs(n) > 4e6 {
		return nil
	}
	return formatDay(day + sign*int(math.Trunc(n)))
}

func addDays(date, days any) any {
	day, ok := dayOf(date)
	if !ok {
		return nil
	}
	return shift(day, days, 1)
}

func numeric(v any, f func(float64) float64) any {
	n, ok := toNumber(v)
	if !ok {
		return nil
	}
	return finite(f(n))
}

// powers of ten for round(): exact in a double.
var tens = [...]float64{1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10}

func round(args []any) any {
	n, ok := toNumber(args[0])
	if !ok {
		return nil
	}
	places := 0.0
	if len(args) == 2 {
		if places, ok = toNumber(args[1]); !ok || places != math.Trunc(places) || places < 0 || places > 10 {
			return nil
		}
	}
	ten := tens[int(places)]
	return finite(roundHalfUp(n*ten) / ten)
}

func concat(args []any) any {
	var b strings.Builder
	for _, a := range args {
		b.WriteString(toText(a))
	}
	return text(b.String())
}

func toDate(v any) any {
	v = single(v)
	if n, ok := v.(float64); ok {
		return shift(0, n, 1)
	}
	if day, ok := dayOf(v); ok {
		return formatDay(day)
	}
	return nil
}

// selected tells whether the answer is, or has in it, the code.
func (ev *evaluation) selected(answer, code any) bool {
	want := toText(code)
	if want == "" {
		return false
	}
	list := elements(answer)
	if !ev.step(len(list)) {
		return false
	}
	for _, e := range list {
		if toText(e) == want {
			return true
		}
	}
	return false
}

// aggregate is sum, min and max over all elements of all arguments. The sum of
// nothing is 0, the least of nothing is empty; min and max also order dates.
func (ev *evaluation) aggregate(op string, args []any) any {
	var all []any
	for _, a := range args {
		all = append(all, elements(a)...)
	}
	if !ev.step(len(all)) {
		return nil
	}
	if op == "sum" {
		total := 0.0
		for _, e := range all {
			n, ok := toNumber(e)
			if !ok {
				return nil
			}
			total += n
		}
		return finite(total)
	}
	if len(all) == 0 {
		return nil
	}
	sign := 1
	if op == "max" {
		sign = -1
	}
	if best, ok := extreme(all, sign, func(e any) (any, bool) { n, ok := toNumber(e); return n, ok }); ok {
		return finite(best.(float64))
	}
	best, ok := extreme(all, sign, func(e any) (any, bool) { _, ok := dayOf(e); return e, ok })
	if !ok {
		return nil
	}
	return best
}

// extreme gives the first of the least (sign 1) or greatest (sign -1)
// elements, if all of them are of the wanted kind.
func extreme(all []any, sign int, kind func(any) (any, bool)) (best any, ok bool) {
	for i, e := range all {
		v, ok := kind(e)
		if !ok {
			return nil, false
		}
		if i == 0 {
			best = v
			continue
		}
		if c, ok := compareScalars(v, best); ok && c*sign < 0 {
			best = v
		}
	}
	return best, true
}

// ageInYears takes a date of birth or an age answer.
func ageInYears(v any, at any) any {
	to, ok := dayOf(at)
	if !ok {
		return nil
	}
	if age, isAge := v.(map[string]any); isAge {
		years, ok := ageAt(age, to)
		if !ok {
			return nil
		}
		return float64(years)
	}
	from, ok := dayOf(v)
	if !ok {
		return nil
	}
	years, ok := yearsBetween(from, to)
	if !ok {
		return nil
	}
	return float64(years)
}

func (ev *evaluation) indexedRepeat(n *node, args []any) any {
	rows := elements(args[0])
	i, ok := toNumber(args[1])
	if !ok || i != math.Trunc(i) || i < 1 || i > float64(len(rows)) {
		return nil
	}
	return norm(ev.walk(rows[int(i)-1], n.path))
}

// choiceName gives the label of a code, or of several with ", " between.
func (ev *evaluation) choiceName(list *List, v any) any {
	codes := elements(v)
	if list == nil || !ev.step(len(codes)) {
		return nil
	}
	labels := make([]string, 0, len(codes))
	for _, c := range codes {
		code := list.Code(toText(c))
		if code == nil {
			labels = append(labels, toText(c))
			continue
		}
		labels = append(labels, code.Label(ev.world.lang))
	}
	return text(strings.Join(labels, ", "))
}
