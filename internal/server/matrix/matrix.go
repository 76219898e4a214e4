// Package matrix makes the cells of the test that tries every route against
// every role, relation and organisation, from the published OpenAPI document
// and the policy table.
//
// A cell says what the policy denies: a route that names a record must answer
// with the bytes of what is absent; a route that lists must not show the
// record. A cell that the policy could allow says nothing: its handler may
// still refuse, for its own reasons.
package matrix

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/policy"
	"banyan/internal/server"
)

// Cell is one try.
type Cell struct {
	Method, Path, ID string
	Guard            server.Guard
	Roles            []policy.Role   // of the user, all at once
	Relation         policy.Relation // of the user to the record
	Excluded         bool            // the user stands on the record's exclusion list
	OtherOrg         bool            // the user is of another organisation than the record
	Named            bool            // the path names the record ({id})
	Denied           bool            // the answer must be that of what is absent
	Unseen           bool            // nothing of the record may stand in the answer
}

func (c Cell) String() string {
	out := fmt.Sprintf("%s %s as %s, %s", c.Method, c.Path, strings.Join(c.Roles, " and "), c.Relation)
	if c.Excluded {
		out += ", excluded"
	}
	if c.OtherOrg {
		out += ", of another organisation"
	}
	return out
}

// Singles is each role by itself.
func Singles() [][]policy.Role {
	var out [][]policy.Role
	for _, r := range policy.AllRoles {
		out = append(out, []policy.Role{r})
	}
	return out
}

// Pairs is every two roles together, as small organisations have them.
func Pairs() [][]policy.Role {
	var out [][]policy.Role
	for i, a := range policy.AllRoles {
		for _, b := range policy.AllRoles[i+1:] {
			out = append(out, []policy.Role{a, b})
		}
	}
	return out
}

// Cells makes all cells: routes × sets of roles × relations × excluded or not
// × own or other organisation. Public routes and the own account have nothing
// to deny and are left out; routes without a record (office, register) have
// one cell for each set of roles.
func Cells(doc *huma.OpenAPI, table *policy.Table, roles [][]policy.Role) []Cell {
	var out []Cell
	for _, op := range server.Operations(doc) {
		g, ok := server.GuardOf(op)
		if ok && (g.Action == server.Public || g.Action == server.Self && ownAccount(op.Path)) {
			continue
		}
		for _, set := range roles {
			c := Cell{Method: op.Method, Path: op.Path, ID: op.OperationID, Guard: g, Roles: set, Relation: policy.None, Named: strings.Contains(op.Path, "{id}")}
			if !ok || g.Kind == "office" || g.Kind == "register" {
				c.Denied = !ok || !table.MightAs(policy.Subject{Roles: set}, g.Action, g.Kind, policy.None, false)
				c.Unseen = true
				out = append(out, c)
				continue
			}
			out = append(out, c.ofRecords(table)...)
		}
	}
	return out
}

func ownAccount(path string) bool {
	return path == "/api/me" || strings.HasPrefix(path, "/api/me/") || strings.HasPrefix(path, "/api/step-up")
}

func (c Cell) ofRecords(table *policy.Table) []Cell {
	var out []Cell
	for _, relation := range policy.AllRelations {
		for _, excluded := range []bool{false, true} {
			for _, other := range []bool{false, true} {
				if other && relation != policy.None && relation != policy.Referred {
					continue // cannot be: these relations are inside the own organisation
				}
				cell := c
				cell.Relation, cell.Excluded, cell.OtherOrg = relation, excluded, other
				cell.judge(table)
				out = append(out, cell)
			}
		}
	}
	return out
}

// judge asks the policy. A list that everybody has (Self) shows records by
// reading them.
func (c *Cell) judge(table *policy.Table) {
	s, action, kinds := policy.Subject{Roles: c.Roles}, c.Guard.Action, []string{c.Guard.Kind}
	if action == server.Self {
		action = policy.Read
	}
	if c.Guard.Kind == server.AnyKind {
		kinds = table.Kinds()
	}
	might, as := c.Guard.Action == server.Self, false
	for _, kind := range kinds {
		might = might || table.Might(s, action, kind)
		as = as || table.MightAs(s, action, kind, c.Relation, c.Excluded)
	}
	c.Unseen = !as
	c.Denied = !might || c.Named && !as
}

// Check holds an answer to its cell. absent is the body of a path that was
// never there; marks are texts of the record (its code, a name) that must not
// show.
func (c Cell) Check(status int, body, absent []byte, marks ...string) error {
	if c.Denied && (status != http.StatusNotFound || !bytes.Equal(body, absent)) {
		return fmt.Errorf("%s: denied by the policy, answered with %d (%d bytes)", c, status, len(body))
	}
	if !c.Unseen {
		return nil
	}
	for i, mark := range marks {
		if bytes.Contains(body, []byte(mark)) {
			return fmt.Errorf("%s: not to be seen, yet mark %d of the record stands in the answer", c, i+1)
		}
	}
	return nil
}
