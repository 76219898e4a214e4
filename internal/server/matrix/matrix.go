// Package matrix makes the cells of the test that tries every route against
// every role, relation and organisation, from the published OpenAPI document
// and the policy table.
//
// A cell that the policy denies must answer with the bytes of what is absent.
// A cell that it could allow says nothing: its handler may still refuse, for
// its own reasons.
package matrix

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"banyan/internal/policy"
	"banyan/internal/server"
)

// Cell is one try.
type Cell struct {
	Method, Path, ID string
	Guard            server.Guard
	Role             policy.Role
	Relation         policy.Relation // of the user to the record that the path names
	Excluded         bool            // the user stands on the record's exclusion list
	OtherOrg         bool            // the user is of another organisation than the record
	Denied           bool            // the policy denies it
}

func (c Cell) String() string {
	out := fmt.Sprintf("%s %s as %s, %s", c.Method, c.Path, c.Role, c.Relation)
	if c.Excluded {
		out += ", excluded"
	}
	if c.OtherOrg {
		out += ", of another organisation"
	}
	return out
}

// Cells makes all cells: routes × roles × relations × excluded or not × own or
// other organisation. Routes that are public or about the own account have
// nothing to deny and are left out; those without a record (office, register)
// have one cell per role.
func Cells(doc *huma.OpenAPI, table *policy.Table) []Cell {
	var out []Cell
	for _, op := range server.Operations(doc) {
		g, ok := server.GuardOf(op)
		if ok && (g.Action == server.Public || g.Action == server.Self) {
			continue
		}
		for _, role := range policy.AllRoles {
			c := Cell{Method: op.Method, Path: op.Path, ID: op.OperationID, Guard: g, Role: role, Relation: policy.None}
			if !ok || g.Kind == "office" || g.Kind == "register" {
				c.Denied = !ok || !table.MightAs(policy.Subject{Roles: []string{role}}, g.Action, g.Kind, policy.None, false)
				out = append(out, c)
				continue
			}
			out = append(out, c.ofRecords(table)...)
		}
	}
	return out
}

func (c Cell) ofRecords(table *policy.Table) []Cell {
	var out []Cell
	kinds := []string{c.Guard.Kind}
	if c.Guard.Kind == server.AnyKind {
		kinds = table.Kinds()
	}
	for _, relation := range policy.AllRelations {
		for _, excluded := range []bool{false, true} {
			for _, other := range []bool{false, true} {
				if other && relation != policy.None && relation != policy.Referred {
					continue // cannot be: these relations are inside the own organisation
				}
				cell := c
				cell.Relation, cell.Excluded, cell.OtherOrg, cell.Denied = relation, excluded, other, true
				for _, kind := range kinds {
					if table.MightAs(policy.Subject{Roles: []string{c.Role}}, c.Guard.Action, kind, relation, excluded) {
						cell.Denied = false
					}
				}
				out = append(out, cell)
			}
		}
	}
	return out
}

// Check holds an answer to its cell. absent is the body of a path that was
// never there.
func (c Cell) Check(status int, body, absent []byte) error {
	if !c.Denied {
		return nil
	}
	if status != http.StatusNotFound || !bytes.Equal(body, absent) {
		return fmt.Errorf("%s: denied by the policy, answered with %d (%d bytes)", c, status, len(body))
	}
	return nil
}
