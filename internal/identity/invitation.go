package identity

// Invitations: a one-time token that ends, instead of a default password. The
// administrator hands it over; whoever has it chooses name and password. A
// reset is an invitation for a user who is there already; it also removes a
// lost second factor and all sessions.

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"banyan/internal/fault"
	"banyan/internal/store"
)

// Invitation is what was given out. Token is there only when it is made: no
// table keeps it.
type Invitation struct {
	ID    string    `json:"id"`
	Kind  string    `json:"kind" enum:"join,reset"`
	Org   string    `json:"org"`
	Team  string    `json:"team"`
	Login string    `json:"login"`
	Roles []string  `json:"roles"`
	Ends  time.Time `json:"ends"`
	Used  bool      `json:"used"`
	Token string    `json:"token,omitempty" doc:"Shown once. Hand it over in person or in a link after the #."`
}

// Invite lets somebody join an organisation.
func (s *Service) Invite(ctx context.Context, by Principal, n NewUser) (Invitation, error) {
	if err := errors.Join(mayManage(by, n.Org), checkLogin(n.Login), checkRoles(n.Roles)); err != nil {
		return Invitation{}, firstFault(err)
	}
	inv := Invitation{Kind: "join", Org: n.Org, Team: n.Team, Login: strings.TrimSpace(n.Login), Roles: n.Roles, Ends: s.now().Add(s.config.Invitation)}
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		if err := belongs(ctx, tx, "organisation", "id", n.Org, "org"); err != nil {
			return err
		}
		if err := s.checkTeam(ctx, tx, n.Org, n.Team); err != nil {
			return err
		}
		c, err := credentialsOf(ctx, tx, "login_key", foldLogin(n.Login))
		if err != nil {
			return err
		}
		if c.user != "" {
			return fault.Field("login", "taken", "this login is taken")
		}
		return s.insertInvitation(ctx, tx, by, &inv, "")
	})
	return inv, err
}

// Reset lets a user choose a new password. Until it is used the old one
// stands.
func (s *Service) Reset(ctx context.Context, by Principal, user string) (Invitation, error) {
	var inv Invitation
	err := s.db.Transact(ctx, func(tx *store.Tx) error {
		u, err := userOf(ctx, tx, user)
		if err != nil {
			return err
		}
		if err := mayManage(by, u.Org); err != nil {
			return err
		}
		inv = Invitation{Kind: "reset", Org: u.Org, Team: u.Team, Login: u.Login, Roles: u.Roles, Ends: s.now().Add(s.config.Reset)}
		return s.insertInvitation(ctx, tx, by, &inv, u.ID)
	})
	return inv, err
}

func (s *Service) insertInvitation(ctx context.Context, tx *store.Tx, by Principal, inv *Invitation, user string) error {
	inv.ID, inv.Token = s.newID(), randomToken()
	if err := s.recordFor(ctx, tx, by, inv.Org, "invitation."+inv.Kind, inv.ID, map[string]string{"roles": strings.Join(inv.Roles, " "), "user": user}); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO invitation (id, token_hash, kind, org, team, login, login_key, roles, staff, made_by, created_at, ends_at, used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0)`,
		inv.ID, hashToken(inv.Token), inv.Kind, inv.Org, inv.Team, inv.Login, foldLogin(inv.Login), strings.Join(inv.Roles, " "), user, by.User,
		store.Micros(s.now()), store.Micros(inv.Ends))
	if err != nil {
		return fmt.Errorf("keeping an invitation: %w", err)
	}
	return nil
}

// Invitations lists an organisation's invitations that can still be used or
// were used, newest first, before the id given (empty: from the newest).
func (s *Service) Invitations(ctx context.Context, org, before string, limit int) ([]Invitation, error) {
	if before == "" {
		before = "z" // after every UUID, in any collation
	}
	rows, err := s.db.Query(ctx, `SELECT id, kind, org, team, login, roles, ends_at, used_at FROM invitation
		WHERE org = $1 AND id < $2 AND (used_at > 0 OR ends_at > $3) ORDER BY id DESC LIMIT $4`, org, before, store.Micros(s.now()), limit)
	if err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	defer rows.Close()
	out := []Invitation{}
	for rows.Next() {
		var i Invitation
		var roles string
		var ends, used int64
		if err := rows.Scan(&i.ID, &i.Kind, &i.Org, &i.Team, &i.Login, &roles, &ends, &used); err != nil {
			return nil, fmt.Errorf("listing invitations: %w", err)
		}
		i.Roles, i.Ends, i.Used = strings.Fields(roles), store.Time(ends), used != 0
		out = append(out, i)
	}
	return out, rows.Err()
}

// Withdraw makes an unused invitation worthless.
func (s *Service) Withdraw(ctx context.Context, by Principal, id string) error {
	return s.db.Transact(ctx, func(tx *store.Tx) error {
		var org string
		err := tx.QueryRow(ctx, `SELECT org FROM invitation WHERE id = $1 AND used_at = 0`, id).Scan(&org)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.Absent()
		}
		if err != nil {
			return fmt.Errorf("looking up an invitation: %w", err)
		}
		if err := mayManage(by, org); err != nil {
			return err
		}
		if err := s.recordFor(ctx, tx, by, org, "invitation.withdrawn", id, nil); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM invitation WHERE id = $1 AND used_at = 0`, id)
		return err
	})
}

// Acceptance is what somebody with an invitation gives. Name may be empty in
// a reset.
type Acceptance struct {
	Token, Name, Password, Lang string
	Address, Device             string
}

// Accept uses an invitation up and signs its bearer in. A wrong, used and
// ended token give the same fault.
func (s *Service) Accept(ctx context.Context, a Acceptance) (Started, error) {
	try, err := s.try(ctx, s.limitsOf("invitation "+hashToken(a.Token), a.Address, ""))
	if err != nil {
		return Started{}, err
	}
	inv, user, err := s.openInvitation(ctx, s.db, a.Token)
	if err != nil {
		return Started{}, err
	}
	if err := checkPassword(a.Password, inv.Login, a.Name); err != nil {
		return Started{}, err
	}
	var phc string
	if err := s.slot(ctx, func() { phc = hashPassword(a.Password) }); err != nil {
		return Started{}, err
	}
	var out Started
	err = s.db.Transact(ctx, func(tx *store.Tx) error {
		if err := try.right(ctx, tx); err != nil {
			return err
		}
		// The condition lets one of two simultaneous uses win.
		done, err := tx.Exec(ctx, `UPDATE invitation SET used_at = $1 WHERE id = $2 AND used_at = 0`, store.Micros(s.now()), inv.ID)
		if err := expectOne(done, err, "using an invitation"); err != nil {
			return err
		}
		if inv.Kind == "reset" {
			err = s.acceptReset(ctx, tx, inv, user, phc)
		} else {
			user, err = s.acceptJoin(ctx, tx, inv, a, phc)
		}
		if err != nil {
			return err
		}
		out, err = s.start(ctx, tx, user, stageFull, "invitation", a.Device)
		return err
	})
	return out, err
}

func (s *Service) openInvitation(ctx context.Context, q store.Querier, token string) (Invitation, string, error) {
	var inv Invitation
	var roles, user string
	var ends int64
	err := q.QueryRow(ctx, `SELECT id, kind, org, team, login, roles, staff, ends_at FROM invitation WHERE token_hash = $1 AND used_at = 0`, hashToken(token)).
		Scan(&inv.ID, &inv.Kind, &inv.Org, &inv.Team, &inv.Login, &roles, &user, &ends)
	if errors.Is(err, sql.ErrNoRows) || (err == nil && !s.now().Before(store.Time(ends))) {
		return Invitation{}, "", fault.Field("token", "ended", "this invitation was used, has ended or never was; ask for a new one")
	}
	if err != nil {
		return Invitation{}, "", fmt.Errorf("looking up an invitation: %w", err)
	}
	inv.Roles = strings.Fields(roles)
	return inv, user, nil
}

func (s *Service) acceptJoin(ctx context.Context, tx *store.Tx, inv Invitation, a Acceptance, phc string) (string, error) {
	id := s.newID()
	n := NewUser{Org: inv.Org, Team: inv.Team, Login: inv.Login, Name: a.Name, Lang: a.Lang, Roles: inv.Roles}
	if err := s.insertUser(ctx, tx, id, n, phc); err != nil {
		return "", err
	}
	if _, err := tx.Exec(ctx, `UPDATE invitation SET staff = $1 WHERE id = $2`, id, inv.ID); err != nil {
		return "", fmt.Errorf("noting who joined: %w", err)
	}
	by := Principal{User: id, Org: inv.Org}
	return id, s.record(ctx, tx, by, "user.joined", id, map[string]string{"invitation": inv.ID})
}

func (s *Service) acceptReset(ctx context.Context, tx *store.Tx, inv Invitation, user, phc string) error {
	u, err := userOf(ctx, tx, user)
	if err != nil {
		return err
	}
	if u.Suspended {
		return fault.Field("token", "ended", "this invitation was used, has ended or never was; ask for a new one")
	}
	for _, q := range []string{
		`DELETE FROM session WHERE staff = $1`,
		`DELETE FROM passkey WHERE staff = $1`,
		`UPDATE staff SET totp = NULL, totp_pending = NULL WHERE id = $1`,
	} {
		if _, err := tx.Exec(ctx, q, user); err != nil {
			return fmt.Errorf("resetting a user: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, `UPDATE staff SET password = $1 WHERE id = $2`, phc, user); err != nil {
		return fmt.Errorf("setting a password: %w", err)
	}
	return s.record(ctx, tx, Principal{User: user, Org: u.Org}, "user.reset", user, map[string]string{"invitation": inv.ID})
}
