package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"banyan/internal/app"
	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/policy"
)

const eraseUsage = `
banyan erase ask CASE --reason CODE --login LOGIN [--data DIR]
banyan erase list [--data DIR]
banyan erase approve REQUEST --login LOGIN [--data DIR]

Destroys the keys of one case for good: what was written stays as ciphertext
that nobody can read, and the chain stays whole. It takes two people. One asks,
with a reason (the case's supervisor); another approves (a programme manager).
Both prove who they are: the password is read from BANYAN_PASSWORD or standard
input, a code from BANYAN_CODE where the account asks one. CASE is the id of the case; REQUEST is
what "ask" printed. Stop the server first.

Reasons: retention_ended, person_asked, wrong_person, court_order

Example:
  banyan erase ask 0192f0c1-… --reason retention_ended --login vanna
  banyan erase approve 0192f0c2-… --login kunthea`

// erasureReasons are codes, never stories: a reason outlives the case.
var erasureReasons = []string{"retention_ended", "person_asked", "wrong_person", "court_order"}

func runErase(ctx context.Context, args []string, out, errOut io.Writer) error {
	f := newFlags("erase", eraseUsage, errOut)
	cfg := dataFlags(f)
	reason := f.String("reason", "", "why, as a code")
	login := f.String("login", "", "who asks or approves")
	operands, err := parse(f, args, -1)
	if err != nil {
		return err
	}
	if len(operands) == 0 {
		return misuse("say ask, list or approve; -h explains")
	}
	a, err := app.Open(ctx, *cfg)
	if err != nil {
		return err
	}
	defer a.Close()
	switch {
	case operands[0] == "list" && len(operands) == 1:
		return eraseList(ctx, a, out)
	case operands[0] == "ask" && len(operands) == 2:
		return eraseAsk(ctx, a, operands[1], *reason, *login, out)
	case operands[0] == "approve" && len(operands) == 2:
		return eraseApprove(ctx, a, operands[1], *login, out)
	}
	return misuse("say ask CASE, list or approve REQUEST; -h explains")
}

func eraseList(ctx context.Context, a *app.App, out io.Writer) error {
	open, err := a.Journal.OpenErasures(ctx)
	if err != nil {
		return err
	}
	for _, r := range open {
		fmt.Fprintf(out, "%s  case %s  %s  asked %s\n", r.ID, r.Stream, r.Reason, r.AskedAt.Format("2006-01-02 15:04"))
	}
	fmt.Fprintf(out, "%d open requests\n", len(open))
	return nil
}

func eraseAsk(ctx context.Context, a *app.App, stream, reason, login string, out io.Writer) error {
	if !slices.Contains(erasureReasons, reason) {
		return misuse("--reason is one of %s", strings.Join(erasureReasons, ", "))
	}
	user, err := prove(ctx, a, login, policy.EraseRequest, stream)
	if err != nil {
		return err
	}
	id, err := a.Journal.AskErasure(ctx, journal.ErasureRequest{Stream: stream, Reason: reason, AskedBy: user})
	if errors.Is(err, journal.ErrNoStream) || errors.Is(err, journal.ErrErased) {
		return misuse("%v", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "asked: another person approves with  banyan erase approve %s --login …\n", id)
	return nil
}

func eraseApprove(ctx context.Context, a *app.App, request, login string, out io.Writer) error {
	stream, err := streamOf(ctx, a, request)
	if err != nil {
		return err
	}
	user, err := prove(ctx, a, login, policy.EraseApprove, stream)
	if err != nil {
		return err
	}
	err = a.Journal.ApproveErasure(ctx, request, user)
	if errors.Is(err, journal.ErrNoRequest) || errors.Is(err, journal.ErrSamePerson) {
		return misuse("%v", err)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "erased: the keys are destroyed, and restoring an older backup will not bring them back")
	return nil
}

// streamOf finds the case of an open request.
func streamOf(ctx context.Context, a *app.App, request string) (string, error) {
	open, err := a.Journal.OpenErasures(ctx)
	if err != nil {
		return "", err
	}
	for _, r := range open {
		if r.ID == request {
			return r.Stream, nil
		}
	}
	return "", misuse("%v", journal.ErrNoRequest)
}

// prove checks who sits at the keyboard and that the policy lets them.
func prove(ctx context.Context, a *app.App, login string, action policy.Action, stream string) (user string, err error) {
	if login == "" {
		return "", misuse("say who you are with --login")
	}
	password := os.Getenv("BANYAN_PASSWORD")
	if password == "" {
		line, err := io.ReadAll(io.LimitReader(os.Stdin, 1000))
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		password = strings.TrimRight(string(line), "\r\n")
	}
	id, err := a.Prove(ctx, login, password, os.Getenv("BANYAN_CODE"), action, stream)
	if fault.CodeOf(err) != fault.Internal && err != nil {
		return "", misuse("%v", err)
	}
	return id, err
}
