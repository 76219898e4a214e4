package forms

// Conditions: expressions that stand outside a form but speak of its answers,
// as in the deadlines and the steps of a case.

import "strings"

// Condition parses an expression over the top level of the form's answers.
// The error is an *ExprError.
func (f *Form) Condition(src string) (*Expr, error) {
	res := &resolver{lib: f.lib, form: f, at: &Field{form: f}}
	return res.parse(strings.TrimSpace(src))
}

// Holds says whether a condition is true of the form's answers.
func (e *Expr) Holds(answers map[string]any, env Env) bool {
	lang := env.Lang
	if lang == "" {
		lang = English
	}
	ev := evaluation{world: &world{now: env.Now, lang: lang, known: env.Known}, scopes: []map[string]any{answers}}
	return truth(ev.value(e))
}
