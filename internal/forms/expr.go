package forms

// Expressions: from text to a tree. The grammar is XPath's with XLSForm's
// ${field}; the tree knows positions (for faults), marshals to JSON (for the
// browser) and is never changed after loading. What a tree means stands in the
// package comment, how it is computed in eval.go.

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits of one expression. They keep a mistake or an attack in content from
// costing more than a moment.
const (
	MaxExprLength = 4000   // bytes of source
	MaxExprDepth  = 50     // nesting of operators, calls and brackets
	MaxExprNodes  = 1000   // nodes of the tree
	MaxExprSteps  = 100000 // nodes and list elements visited in one evaluation
	// MaxCheckSteps bounds all evaluations of one check together: no answers,
	// however many rows they have, keep a server busy for long.
	MaxCheckSteps = 5000000
)

// Expr is one parsed expression. It is safe for concurrent use.
type Expr struct {
	src  string
	root *node
	deps []*Field // fields whose answers the value depends on
}

// Source is the text that the form's author wrote.
func (e *Expr) Source() string { return e.src }

// MarshalJSON writes the tree; see the package comment for its shape.
func (e *Expr) MarshalJSON() ([]byte, error) { return json.Marshal(e.root) }

// An ExprError says what is wrong with an expression and where.
type ExprError struct {
	Pos     int // character of the source, from 1
	Message string
}

func (e *ExprError) Error() string { return fmt.Sprintf("character %d: %s", e.Pos, e.Message) }

// Kinds of node.
const (
	kindNumber = "num"
	kindText   = "str"
	kindRef    = "ref"  // ${…}, resolved: scope and path
	kindSelf   = "dot"  // .
	kindProp   = "prop" // a property of the choice, in choice filters
	kindCall   = "call" // functions and operators
)

type node struct {
	kind string
	pos  int // byte offset in the source
	num  float64
	text string // text, property name, function or operator, raw reference
	args []*node

	// Set when resolved:
	base  int            // reference: how many rows deep its path starts
	path  []string       // reference: names from there; indexed-repeat: the rest inside the row
	field *Field         // reference, self: what it points to
	part  string         // reference: part of a composite answer
	re    *regexp.Regexp // regex(): the compiled pattern
	list  *List          // jr:choice-name(): where the labels are
}

// nodeJSON is the shape that travels.
type nodeJSON struct {
	Kind  string   `json:"k"`
	Value any      `json:"v,omitempty"`
	Base  int      `json:"b,omitempty"`
	Path  []string `json:"p,omitempty"`
	Func  string   `json:"f,omitempty"`
	List  string   `json:"l,omitempty"`
	Args  []*node  `json:"a,omitempty"`
}

func (n *node) MarshalJSON() ([]byte, error) {
	out := nodeJSON{Kind: n.kind, Base: n.base, Path: n.path, Args: n.args}
	switch n.kind {
	case kindNumber:
		out.Value = n.num
	case kindText, kindProp:
		out.Value = n.text
	case kindCall:
		out.Func = n.text
		if n.list != nil {
			out.List = n.list.ID
		}
	}
	return json.Marshal(out)
}

// arity gives the least and most arguments of each function; most -1: any.
var arity = map[string][2]int{
	"if": {3, 3}, "coalesce": {1, -1}, "not": {1, 1}, "true": {0, 0}, "false": {0, 0},
	"selected": {2, 2}, "count-selected": {1, 1}, "count": {1, 1},
	"sum": {1, -1}, "min": {1, -1}, "max": {1, -1},
	"today": {0, 0}, "now": {0, 0}, "once": {1, 1},
	"string-length": {1, 1}, "regex": {2, 2}, "contains": {2, 2}, "starts-with": {2, 2}, "concat": {1, -1},
	"int": {1, 1}, "round": {1, 2}, "number": {1, 1}, "string": {1, 1},
	"date": {1, 1}, "date-diff-days": {2, 2}, "add-days": {2, 2}, "age-in-years": {1, 2},
	"indexed-repeat": {3, 3}, "jr:choice-name": {2, 2}, "position": {1, 1}, "known": {1, 1},
}

// parser reads one expression.
type parser struct {
	src   string
	pos   int
	tok   token
	depth int
	nodes int
}

type token struct {
	kind string // num str ref name op end
	text string
	num  float64
	pos  int
}

// parseTree reads src; the error is always an *ExprError.
func parseTree(src string) (root *node, err error) {
	p := &parser{src: src}
	if len(src) > MaxExprLength {
		return nil, p.fault(0, "longer than %d bytes", MaxExprLength)
	}
	if !utf8.ValidString(src) {
		return nil, p.fault(0, "not valid UTF-8")
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if p.tok.kind == "end" {
		return nil, p.fault(0, "empty expression")
	}
	root, err = p.or()
	if err != nil {
		return nil, err
	}
	if p.tok.kind != "end" {
		return nil, p.fault(p.tok.pos, "unexpected %s", p.tok.shown())
	}
	return root, nil
}

func (p *parser) fault(pos int, format string, args ...any) *ExprError {
	if pos > len(p.src) {
		pos = len(p.src)
	}
	return &ExprError{Pos: utf8.RuneCountInString(p.src[:pos]) + 1, Message: fmt.Sprintf(format, args...)}
}

func (t token) shown() string {
	if t.kind == "end" {
		return "end"
	}
	return strconv.Quote(t.text)
}

// next reads the token at pos into tok.
func (p *parser) next() error {
	for p.pos < len(p.src) && strings.IndexByte(" \t\r\n", p.src[p.pos]) >= 0 {
		p.pos++
	}
	start := p.pos
	if start == len(p.src) {
		p.tok = token{kind: "end", pos: start}
		return nil
	}
	rest := p.src[start:]
	switch c := rest[0]; {
	case c == '\'' || c == '"':
		end := strings.IndexByte(rest[1:], c)
		if end < 0 {
			return p.fault(start, "text without its closing %c", c)
		}
		p.take("str", rest[1:1+end], end+2)
		return nil
	case strings.HasPrefix(rest, "${"):
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return p.fault(start, "${ without its }")
		}
		p.take("ref", strings.TrimSpace(rest[2:end]), end+1)
		return nil
	case isDigit(c) || (c == '.' && len(rest) > 1 && isDigit(rest[1])):
		return p.number(rest)
	case strings.HasPrefix(rest, ".."), strings.HasPrefix(rest, "!="), strings.HasPrefix(rest, "<="), strings.HasPrefix(rest, ">="):
		p.take("op", rest[:2], 2)
		return nil
	case strings.IndexByte("()+-*=<>,.", c) >= 0:
		p.take("op", rest[:1], 1)
		return nil
	case isLetter(c):
		n := 1
		for n < len(rest) && (isLetter(rest[n]) || isDigit(rest[n]) || rest[n] == '-' || rest[n] == ':') {
			n++
		}
		p.take("name", rest[:n], n)
		return nil
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return p.fault(start, "unexpected %q", r)
}

func (p *parser) take(kind, text string, width int) {
	p.tok = token{kind: kind, text: text, pos: p.pos}
	p.pos += width
}

func (p *parser) number(rest string) error {
	n := 0
	for n < len(rest) && (isDigit(rest[n]) || rest[n] == '.') {
		n++
	}
	value, ok := parseNumber(rest[:n])
	if !ok || n > 20 || (n < len(rest) && isLetter(rest[n])) {
		return p.fault(p.pos, "not a number")
	}
	p.take("num", rest[:n], n)
	p.tok.num = value
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func (p *parser) is(kind, text string) bool { return p.tok.kind == kind && p.tok.text == text }

func (p *parser) node(n node) (*node, error) {
	p.nodes++
	if p.nodes > MaxExprNodes {
		return nil, p.fault(n.pos, "more than %d parts", MaxExprNodes)
	}
	return &n, nil
}

func (p *parser) call(op token, args ...*node) (*node, error) {
	return p.node(node{kind: kindCall, pos: op.pos, text: op.text, args: args})
}

// or, and, comparison, sum, product, unary, primary: one level of binding each.

func (p *parser) or() (*node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxExprDepth {
		return nil, p.fault(p.tok.pos, "nested deeper than %d", MaxExprDepth)
	}
	return p.chain(p.and, "name", "or")
}

func (p *parser) and() (*node, error)     { return p.chain(p.comparison, "name", "and") }
func (p *parser) sum() (*node, error)     { return p.chain(p.product, "op", "+", "-") }
func (p *parser) product() (*node, error) { return p.chain(p.unary, "", "*", "div", "mod") }

// chain reads operands of one level, binding to the left. The tree of a long
// chain is as deep as the chain is long, so its length counts as depth.
func (p *parser) chain(operand func() (*node, error), kind string, ops ...string) (*node, error) {
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for n := 0; ; n++ {
		op := p.tok
		if !matches(op, kind, ops) {
			return left, nil
		}
		if n > 200 {
			return nil, p.fault(op.pos, "more than 200 operators in a row")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		if left, err = p.call(op, left, right); err != nil {
			return nil, err
		}
	}
}

func matches(t token, kind string, ops []string) bool {
	if (kind != "" && t.kind != kind) || (t.kind != "op" && t.kind != "name") {
		return false
	}
	for _, op := range ops {
		if t.text == op {
			return true
		}
	}
	return false
}

var comparisons = []string{"=", "!=", "<", "<=", ">", ">="}

func (p *parser) comparison() (*node, error) {
	left, err := p.sum()
	if err != nil || !matches(p.tok, "op", comparisons) {
		return left, err
	}
	op := p.tok
	if err := p.next(); err != nil {
		return nil, err
	}
	right, err := p.sum()
	if err != nil {
		return nil, err
	}
	if matches(p.tok, "op", comparisons) {
		return nil, p.fault(p.tok.pos, "comparisons do not chain: join two with and")
	}
	return p.call(op, left, right)
}

func (p *parser) unary() (*node, error) {
	if !p.is("op", "-") {
		return p.primary()
	}
	op := p.tok
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxExprDepth {
		return nil, p.fault(op.pos, "nested deeper than %d", MaxExprDepth)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	arg, err := p.unary()
	if err != nil {
		return nil, err
	}
	op.text = "neg"
	return p.call(op, arg)
}

func (p *parser) primary() (*node, error) {
	t := p.tok
	if err := p.next(); err != nil {
		return nil, err
	}
	switch {
	case t.kind == "num":
		return p.node(node{kind: kindNumber, pos: t.pos, num: t.num})
	case t.kind == "str":
		return p.node(node{kind: kindText, pos: t.pos, text: t.text})
	case t.kind == "ref":
		return p.node(node{kind: kindRef, pos: t.pos, text: t.text})
	case t.kind == "op" && t.text == ".":
		return p.node(node{kind: kindSelf, pos: t.pos})
	case t.kind == "op" && t.text == "(":
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		return inner, p.expect(")")
	case t.kind == "name" && p.is("op", "("):
		return p.function(t)
	case t.kind == "name":
		return p.node(node{kind: kindProp, pos: t.pos, text: t.text})
	}
	return nil, p.fault(t.pos, "unexpected %s", t.shown())
}

func (p *parser) expect(text string) error {
	if !p.is("op", text) {
		return p.fault(p.tok.pos, "expected %q, found %s", text, p.tok.shown())
	}
	return p.next()
}

// function reads the arguments of name; the bracket is at hand.
func (p *parser) function(name token) (*node, error) {
	limits, ok := arity[name.text]
	if !ok {
		return nil, p.fault(name.pos, "there is no function %s()", name.text)
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	if name.text == "position" {
		if !p.is("op", "..") {
			return nil, p.fault(p.tok.pos, "write position(..)")
		}
		if err := p.next(); err != nil {
			return nil, err
		}
		call, err := p.call(name)
		if err != nil {
			return nil, err
		}
		return call, p.expect(")")
	}
	var args []*node
	for !p.is("op", ")") {
		if len(args) > 0 {
			if err := p.expect(","); err != nil {
				return nil, err
			}
		}
		arg, err := p.or()
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	if len(args) < limits[0] || (limits[1] >= 0 && len(args) > limits[1]) {
		return nil, p.fault(name.pos, "%s() takes %s, not %d", name.text, arityText(limits), len(args))
	}
	if err := p.next(); err != nil {
		return nil, err
	}
	return p.call(name, args...)
}

func arityText(limits [2]int) string {
	switch {
	case limits[1] < 0:
		return fmt.Sprintf("%d arguments or more", limits[0])
	case limits[0] == limits[1] && limits[0] == 1:
		return "1 argument"
	case limits[0] == limits[1]:
		return fmt.Sprintf("%d arguments", limits[0])
	}
	return fmt.Sprintf("%d to %d arguments", limits[0], limits[1])
}
