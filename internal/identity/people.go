package identity

// Organisations, teams and users, and what an administrator does to them.
//
// An organisation that runs the installation is its operator: the
// administrators of the operator also manage organisations and may invite the
// first administrator of another one. All others manage their own.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"banyan/internal/fault"
	"banyan/internal/store"
)

const roleAdministrator = "administrator"

// Organisation is an agency that works with this installation.
type Organisation struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	Country  string `json:"country" doc:"ISO 3166-1 alpha-3"`
	Operator bool   `json:"operator" doc:"Runs this installation"`
}

// Team is a group of users of one organisation with at most one supervisor.
type Team struct {
	ID         string `json:"id"`
	Org        string `json:"org"`
	Name       string `json:"name"`
	Supervisor string `json:"supervisor" doc:"User id, empty while nobody is named"`
}

// User is a member of an organisation's staff. A user comes by invitation,
// can be suspended and resumed, and is never deleted: what they wrote stands
// under their id.
type User struct {
	ID          string    `json:"id"`
	Org         string    `json:"org"`
	Team        string    `json:"team"`
	Login       string    `json:"login"`
	Name        string    `json:"name"`
	Lang        string    `json:"lang"`
	Roles       []string  `json:"roles"`
	Suspended   bool      `json:"suspended"`
	HasCode     bool      `json:"has_code" doc:"A code of an authenticator app is asked"`
	CreatedAt   time.Time `json:"created_at"`
	SignedInAt  time.Time `json:"signed_in_at"`
	HasPassword bool      `json:"has_password"`
}

// foldLogin makes two ways of typing one login equal.
func foldLogin(login string) string {
	return cases.Fold().String(norm.NFKC.String(strings.TrimSpace(login)))
}

func checkText(path, text string, most int) error {
	n := utf8.RuneCountInString(text)
	switch {
	case strings.TrimSpace(text) == "":
		return fault.Field(path, "required", "this must be filled in")
	case n > most:
		return fault.Field(path, "too_long", fmt.Sprintf("at most %d characters", most))
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl):
		return fault.Field(path, "not_text", "this must be one line of text")
	}
	return nil
}

func checkLogin(login string) error {
	if err := checkText("login", login, 128); err != nil {
		return err
	}
	if utf8.RuneCountInString(foldLogin(login)) < 3 || strings.ContainsFunc(strings.TrimSpace(login), unicode.IsSpace) {
		return fault.Field("login", "format", "a login has at least three characters and no spaces")
	}
	return nil
}

// mayManage holds the border between organisations.
func mayManage(by Principal, org string) error {
	if by.system || by.Operator || by.Org == org {
		return nil
	}
	return fault.Absent()
}

// CreateOrganisation adds an organisation. The first one is the operator.
func (s *Service) CreateOrganisation(ctx context.Context, by Principal, o Organisation) (Organisation, error) {
	if !by.Operator {
		return Organisation{}, fault.Absent()
	}
	if err := errors.Join(checkText("name", o.Name, 200), checkText("kind", o.Kind, 60), checkText("country", o.Country, 3)); err != nil {
		return Organisation{}, firstFault(err)
	}
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		o.ID = s.newID()
		if err := s.recordFor(ctx, tx, by, o.ID, "organisation.created", o.ID, map[string]string{"kind": o.Kind, "country": o.Country}); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM organisation`).Scan(&n); err != nil {
			return fmt.Errorf("counting organisations: %w", err)
		}
		o.Operator = n == 0
		_, err := tx.Exec(ctx, `INSERT INTO organisation (id, name, kind, country, operator, created_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			o.ID, o.Name, o.Kind, o.Country, o.Operator, store.Micros(s.now()))
		if err != nil {
			return fmt.Errorf("adding an organisation: %w", err)
		}
		return nil
	})
	return o, err
}

// firstFault keeps the first fault of joined ones.
func firstFault(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return err
}

// Organisations lists organisations in the order in which they joined, after
// the id given.
func (s *Service) Organisations(ctx context.Context, after string, limit int) ([]Organisation, error) {
	rows, err := s.db.Query(ctx, `SELECT id, name, kind, country, operator FROM organisation WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing organisations: %w", err)
	}
	defer rows.Close()
	out := []Organisation{}
	for rows.Next() {
		var o Organisation
		if err := rows.Scan(&o.ID, &o.Name, &o.Kind, &o.Country, &o.Operator); err != nil {
			return nil, fmt.Errorf("listing organisations: %w", err)
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// Organisation gives one organisation.
func (s *Service) Organisation(ctx context.Context, id string) (Organisation, error) {
	var o Organisation
	err := s.db.QueryRow(ctx, `SELECT id, name, kind, country, operator FROM organisation WHERE id = $1`, id).Scan(&o.ID, &o.Name, &o.Kind, &o.Country, &o.Operator)
	if errors.Is(err, sql.ErrNoRows) {
		return Organisation{}, fault.Absent()
	}
	if err != nil {
		return Organisation{}, fmt.Errorf("looking up an organisation: %w", err)
	}
	return o, nil
}

// CreateTeam adds a team to an organisation.
func (s *Service) CreateTeam(ctx context.Context, by Principal, t Team) (Team, error) {
	if err := errors.Join(mayManage(by, t.Org), checkText("name", t.Name, 120)); err != nil {
		return Team{}, firstFault(err)
	}
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		t.ID = s.newID()
		if err := s.recordFor(ctx, tx, by, t.Org, "team.created", t.ID, nil); err != nil {
			return err
		}
		if err := belongs(ctx, tx, "organisation", "id", t.Org, "org"); err != nil {
			return err
		}
		if err := s.checkSupervisor(ctx, tx, t); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO team (id, org, name, supervisor, created_at) VALUES ($1, $2, $3, $4, $5)`, t.ID, t.Org, t.Name, t.Supervisor, store.Micros(s.now()))
		if err != nil {
			return fmt.Errorf("adding a team: %w", err)
		}
		return nil
	})
	return t, err
}

// ChangeTeam names a team anew and its supervisor.
func (s *Service) ChangeTeam(ctx context.Context, by Principal, t Team) (Team, error) {
	if err := checkText("name", t.Name, 120); err != nil {
		return Team{}, err
	}
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, `SELECT org FROM team WHERE id = $1`, t.ID).Scan(&t.Org)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.Absent()
		}
		if err != nil {
			return fmt.Errorf("looking up a team: %w", err)
		}
		if err := mayManage(by, t.Org); err != nil {
			return err
		}
		if err := s.recordFor(ctx, tx, by, t.Org, "team.changed", t.ID, map[string]string{"supervisor": t.Supervisor}); err != nil {
			return err
		}
		if err := s.checkSupervisor(ctx, tx, t); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE team SET name = $1, supervisor = $2 WHERE id = $3`, t.Name, t.Supervisor, t.ID); err != nil {
			return fmt.Errorf("changing a team: %w", err)
		}
		return nil
	})
	return t, err
}

func (s *Service) checkSupervisor(ctx context.Context, tx *store.Tx, t Team) error {
	if t.Supervisor == "" {
		return nil
	}
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM staff u JOIN staff_role r ON r.staff = u.id
		WHERE u.id = $1 AND u.org = $2 AND r.role = 'supervisor'`, t.Supervisor, t.Org).Scan(&n)
	if err != nil {
		return fmt.Errorf("looking up a supervisor: %w", err)
	}
	if n == 0 {
		return fault.Field("supervisor", "unknown", "the supervisor must be a supervisor of the same organisation")
	}
	return nil
}

// Teams lists an organisation's teams after the id given.
func (s *Service) Teams(ctx context.Context, org, after string, limit int) ([]Team, error) {
	rows, err := s.db.Query(ctx, `SELECT id, org, name, supervisor FROM team WHERE org = $1 AND id > $2 ORDER BY id LIMIT $3`, org, after, limit)
	if err != nil {
		return nil, fmt.Errorf("listing teams: %w", err)
	}
	defer rows.Close()
	out := []Team{}
	for rows.Next() {
		var t Team
		if err := rows.Scan(&t.ID, &t.Org, &t.Name, &t.Supervisor); err != nil {
			return nil, fmt.Errorf("listing teams: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// TeamOrg says whose team it is; empty when there is no such team.
func (s *Service) TeamOrg(ctx context.Context, team string) (string, error) {
	var org string
	err := s.db.QueryRow(ctx, `SELECT org FROM team WHERE id = $1`, team).Scan(&org)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("looking for a team: %w", err)
	}
	return org, nil
}

// TeamSupervisor says who supervises a team; empty when nobody does.
func (s *Service) TeamSupervisor(ctx context.Context, team string) (string, error) {
	var supervisor string
	err := s.db.QueryRow(ctx, `SELECT supervisor FROM team WHERE id = $1`, team).Scan(&supervisor)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("looking for a team's supervisor: %w", err)
	}
	return supervisor, nil
}

// SupervisedTeams lists the ids of the teams that the user supervises.
func (s *Service) SupervisedTeams(ctx context.Context, user string) ([]string, error) {
	rows, err := s.db.Query(ctx, `SELECT id FROM team WHERE supervisor = $1 ORDER BY id LIMIT 1000`, user)
	if err != nil {
		return nil, fmt.Errorf("listing supervised teams: %w", err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("listing supervised teams: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

const userColumns = `u.id, u.org, u.team, u.login, u.name, u.lang, u.suspended_at, u.totp IS NOT NULL, u.created_at, u.signed_in_at, u.password <> ''`

// Users lists an organisation's users in the order in which they joined,
// after the id given.
func (s *Service) Users(ctx context.Context, org, after string, limit int) ([]User, error) {
	return s.UsersWho(ctx, org, UserFilter{}, after, limit)
}

// UserFilter chooses among users; what is empty does not choose.
type UserFilter struct {
	Role  string
	State string // active | disabled
}

// UsersWho lists the users of an organisation that a filter lets through.
func (s *Service) UsersWho(ctx context.Context, org string, f UserFilter, after string, limit int) ([]User, error) {
	out := []User{}
	err := s.db.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+userColumns+` FROM staff u WHERE u.org = $1 AND u.id > $2
			AND ($3 = '' OR EXISTS (SELECT 1 FROM staff_role f WHERE f.staff = u.id AND f.role = $3))
			AND ($4 = '' OR ($4 = 'disabled') = (u.suspended_at > 0)) ORDER BY u.id LIMIT $5`, org, after, f.Role, f.State, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		at := map[string]int{}
		for rows.Next() {
			u, err := scanUser(rows)
			if err != nil {
				return err
			}
			at[u.ID] = len(out)
			out = append(out, u)
		}
		if err := rows.Err(); err != nil || len(out) == 0 {
			return err
		}
		rows.Close()
		roles, err := tx.Query(ctx, `SELECT r.staff, r.role FROM staff_role r JOIN staff u ON u.id = r.staff
			WHERE u.org = $1 AND u.id > $2 AND u.id <= $3 ORDER BY r.staff, r.role`, org, after, out[len(out)-1].ID)
		if err != nil {
			return err
		}
		defer roles.Close()
		for roles.Next() {
			var staff, role string
			if err := roles.Scan(&staff, &role); err != nil {
				return err
			}
			if i, ok := at[staff]; ok { // the filter may have left this one out
				out[i].Roles = append(out[i].Roles, role)
			}
		}
		return roles.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	return out, nil
}

// User gives one user. The caller decides whether it may be shown.
func (s *Service) User(ctx context.Context, id string) (User, error) {
	return userOf(ctx, s.db, id)
}

// UserByLogin gives the user with that login, for commands on the machine.
func (s *Service) UserByLogin(ctx context.Context, login string) (User, error) {
	c, err := credentialsOf(ctx, s.db, "login_key", foldLogin(login))
	if err != nil {
		return User{}, err
	}
	return userOf(ctx, s.db, c.user)
}

func userOf(ctx context.Context, q store.Querier, id string) (User, error) {
	u, err := scanUser(q.QueryRow(ctx, `SELECT `+userColumns+` FROM staff u WHERE u.id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, fault.Absent()
	}
	if err != nil {
		return User{}, fmt.Errorf("looking up a user: %w", err)
	}
	u.Roles, err = rolesOf(ctx, q, id)
	return u, err
}

func scanUser(row interface{ Scan(...any) error }) (User, error) {
	u := User{Roles: []string{}}
	var suspended, created, signedIn int64
	err := row.Scan(&u.ID, &u.Org, &u.Team, &u.Login, &u.Name, &u.Lang, &suspended, &u.HasCode, &created, &signedIn, &u.HasPassword)
	u.Suspended, u.CreatedAt, u.SignedInAt = suspended != 0, store.Time(created), store.Time(signedIn)
	return u, err
}

func rolesOf(ctx context.Context, q store.Querier, user string) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT role FROM staff_role WHERE staff = $1 ORDER BY role`, user)
	if err != nil {
		return nil, fmt.Errorf("looking up roles: %w", err)
	}
	defer rows.Close()
	out := []string{}
	for rows.Next() {
		var role string
		if err := rows.Scan(&role); err != nil {
			return nil, fmt.Errorf("looking up roles: %w", err)
		}
		out = append(out, role)
	}
	return out, rows.Err()
}

// NewUser is what AddUser needs. Without a password the user signs in by
// invitation, passkey or single sign-on only.
type NewUser struct {
	Org, Team, Login, Name, Lang string
	Roles                        []string
	Password                     string
}

// AddUser adds a user at once, without an invitation: for the demo, tests and
// single sign-on. It is only for System.
func (s *Service) AddUser(ctx context.Context, by Principal, n NewUser) (User, error) {
	if !by.system {
		return User{}, fault.Absent()
	}
	phc := ""
	if n.Password != "" {
		if err := checkPassword(n.Password, n.Login, n.Name); err != nil {
			return User{}, err
		}
		if err := s.slot(ctx, func() { phc = hashPassword(n.Password) }); err != nil {
			return User{}, err
		}
	}
	var u User
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		id := s.newID()
		if err := s.recordFor(ctx, tx, by, n.Org, "user.added", id, map[string]string{"roles": strings.Join(n.Roles, " ")}); err != nil {
			return err
		}
		if err := s.insertUser(ctx, tx, id, n, phc); err != nil {
			return err
		}
		var err error
		u, err = userOf(ctx, tx, id)
		return err
	})
	return u, err
}

func (s *Service) insertUser(ctx context.Context, tx *store.Tx, id string, n NewUser, phc string) error {
	if err := errors.Join(checkLogin(n.Login), checkText("name", n.Name, 200), checkRoles(n.Roles)); err != nil {
		return firstFault(err)
	}
	if err := belongs(ctx, tx, "organisation", "id", n.Org, "org"); err != nil {
		return err
	}
	if err := s.checkTeam(ctx, tx, n.Org, n.Team); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO staff (id, org, team, login, login_key, name, lang, password, totp_step, suspended_at, created_at, signed_in_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9, 0)`,
		id, n.Org, n.Team, strings.TrimSpace(n.Login), foldLogin(n.Login), strings.TrimSpace(n.Name), langOr(n.Lang), phc, store.Micros(s.now()))
	if store.IsUnique(err) {
		return fault.Field("login", "taken", "this login is taken")
	}
	if err != nil {
		return fmt.Errorf("adding a user: %w", err)
	}
	return setRoles(ctx, tx, id, n.Roles)
}

func setRoles(ctx context.Context, tx *store.Tx, user string, roles []string) error {
	if _, err := tx.Exec(ctx, `DELETE FROM staff_role WHERE staff = $1`, user); err != nil {
		return fmt.Errorf("setting roles: %w", err)
	}
	for _, role := range roles {
		if _, err := tx.Exec(ctx, `INSERT INTO staff_role (staff, role) VALUES ($1, $2)`, user, role); err != nil {
			return fmt.Errorf("setting roles: %w", err)
		}
	}
	return nil
}

// checkRoles holds the shape only: which roles exist is the policy's, and the
// door asks it. An unknown role opens nothing.
func checkRoles(roles []string) error {
	if len(roles) == 0 {
		return fault.Field("roles", "required", "give at least one role")
	}
	seen := map[string]bool{}
	for _, r := range roles {
		if r == "" || len(r) > 40 || strings.ContainsFunc(r, unicode.IsSpace) || seen[r] {
			return fault.Field("roles", "unknown", "each role is a word of the policy, once")
		}
		seen[r] = true
	}
	return nil
}

func (s *Service) checkTeam(ctx context.Context, tx *store.Tx, org, team string) error {
	if team == "" {
		return nil
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM team WHERE id = $1 AND org = $2`, team, org).Scan(&n); err != nil {
		return fmt.Errorf("looking up a team: %w", err)
	}
	if n == 0 {
		return fault.Field("team", "unknown", "the team must be one of the same organisation")
	}
	return nil
}

// belongs says that a row with that value stands in the table, or names the
// field that is wrong.
func belongs(ctx context.Context, tx *store.Tx, table, column, value, path string) error {
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM `+table+` WHERE `+column+` = $1`, value).Scan(&n); err != nil {
		return fmt.Errorf("looking up %s: %w", table, err)
	}
	if n == 0 {
		return fault.Field(path, "unknown", "there is nothing of that name")
	}
	return nil
}

func langOr(lang string) string {
	if lang == "" {
		return "en"
	}
	return lang
}

// SetLang chooses the language of p's pages.
func (s *Service) SetLang(ctx context.Context, p Principal, lang string) error {
	if len(lang) < 2 || len(lang) > 12 || strings.ContainsFunc(lang, func(r rune) bool { return r != '-' && (r > 'z' || !unicode.IsLetter(r)) }) {
		return fault.Field("lang", "format", "a language is a code such as vi")
	}
	_, err := s.db.Exec(ctx, `UPDATE staff SET lang = $1 WHERE id = $2`, lang, p.User)
	return err
}

// Change is what an administrator changes of a user; nil leaves it.
type Change struct {
	Name      *string
	Team      *string
	Roles     []string
	Suspended *bool
}

// ChangeUser changes a user of an organisation that by manages. Suspending
// ends all sessions. The last active administrator of an organisation can
// neither be suspended nor lose the role.
func (s *Service) ChangeUser(ctx context.Context, by Principal, id string, c Change) (User, error) {
	if c.Name != nil {
		if err := checkText("name", *c.Name, 200); err != nil {
			return User{}, err
		}
	}
	if c.Roles != nil {
		if err := checkRoles(c.Roles); err != nil {
			return User{}, err
		}
	}
	var out User
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		u, err := userOf(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := mayManage(by, u.Org); err != nil {
			return err
		}
		if err := notForHimself(by, u, c); err != nil {
			return err
		}
		if err := s.recordFor(ctx, tx, by, u.Org, "user.changed", id, c.detail()); err != nil {
			return err
		}
		if err := s.apply(ctx, tx, u, c); err != nil {
			return err
		}
		if err := keepsAdministrator(ctx, tx, u); err != nil {
			return err
		}
		out, err = userOf(ctx, tx, id)
		return err
	})
	return out, err
}

// notForHimself lets an administrator give up roles, not take any: one call
// would otherwise open a team's cases to somebody who may see no person.
func notForHimself(by Principal, u User, c Change) error {
	if by.User != u.ID {
		return nil
	}
	for _, role := range c.Roles {
		if !slices.Contains(u.Roles, role) {
			return fault.Field("roles", "own", "nobody gives himself a role; ask another administrator")
		}
	}
	if c.Team != nil && *c.Team != u.Team {
		return fault.Field("team", "own", "nobody chooses his own team; ask another administrator")
	}
	return nil
}

func (c Change) detail() map[string]string {
	d := map[string]string{}
	if c.Name != nil {
		d["name"] = "changed"
	}
	if c.Team != nil {
		d["team"] = *c.Team
	}
	if c.Roles != nil {
		d["roles"] = strings.Join(c.Roles, " ")
	}
	if c.Suspended != nil {
		d["suspended"] = fmt.Sprint(*c.Suspended)
	}
	return d
}

func (s *Service) apply(ctx context.Context, tx *store.Tx, u User, c Change) error {
	set := func(column string, value any) error {
		if _, err := tx.Exec(ctx, `UPDATE staff SET `+column+` = $1 WHERE id = $2`, value, u.ID); err != nil {
			return fmt.Errorf("changing a user's %s: %w", column, err)
		}
		return nil
	}
	if c.Name != nil {
		if err := set("name", strings.TrimSpace(*c.Name)); err != nil {
			return err
		}
	}
	if c.Team != nil {
		if err := s.checkTeam(ctx, tx, u.Org, *c.Team); err != nil {
			return err
		}
		if err := set("team", *c.Team); err != nil {
			return err
		}
	}
	if c.Roles != nil {
		if err := setRoles(ctx, tx, u.ID, c.Roles); err != nil {
			return err
		}
	}
	if c.Suspended == nil {
		return nil
	}
	if !*c.Suspended {
		return set("suspended_at", int64(0))
	}
	if _, err := tx.Exec(ctx, `DELETE FROM session WHERE staff = $1`, u.ID); err != nil {
		return fmt.Errorf("ending a user's sessions: %w", err)
	}
	return set("suspended_at", store.Micros(s.now()))
}

// keepsAdministrator refuses a change that took the last administrator. The
// act was recorded before, and its row lock holds others back meanwhile.
func keepsAdministrator(ctx context.Context, tx *store.Tx, before User) error {
	if before.Suspended || !slices.Contains(before.Roles, roleAdministrator) {
		return nil
	}
	var n int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM staff u JOIN staff_role r ON r.staff = u.id
		WHERE u.org = $1 AND u.suspended_at = 0 AND r.role = $2`, before.Org, roleAdministrator).Scan(&n)
	if err != nil {
		return fmt.Errorf("counting administrators: %w", err)
	}
	if n == 0 {
		return fault.New(fault.Conflict, "this is the organisation's last administrator; name another one first")
	}
	return nil
}
