package caseapi_test

import (
	"context"
	"net/http"
	"testing"

	"banyan/internal/policy"
)

// TestARowInTheDatabaseOpensNoCase: somebody who can write to the database puts
// his account into the lists, as a case's worker, as its team, as one who broke
// the glass. The record itself says otherwise.
func TestARowInTheDatabaseOpensNoCase(t *testing.T) {
	o := newOffice(t, nil)
	id, _ := o.open(o.As(policy.CaseWorker), nil)
	insider := newColleague(o)
	insider.Team = ""
	u := o.AddUser(insider)
	for name, row := range map[string]struct {
		statement string
		args      []any
	}{
		"as its worker":          {`UPDATE case_view SET worker = $1 WHERE stream = $2`, []any{u.ID, id}},
		"as its lawyer":          {`UPDATE case_view SET lawyer = $1 WHERE stream = $2`, []any{u.ID, id}},
		"as one in an emergency": {`INSERT INTO case_glass (stream, reader, until) VALUES ($2, $1, 9000000000000000)`, []any{u.ID, id}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := o.DB.Exec(context.Background(), row.statement, row.args...); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{"", "/records/F01_first_contact", "/prefill/F02_screening", "/alike"} {
				if a := o.SignedIn(u.ID).Call("GET", "/api/cases/"+id+path, nil); a.Status == http.StatusOK {
					t.Errorf("opened %q: %.200s", path, a.Body)
				}
			}
		})
	}
}
