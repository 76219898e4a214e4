package casework

// Taking a case to paper is a reading of its own.

import (
	"context"
	"time"

	"banyan/internal/fault"
	"banyan/internal/journal"
	"banyan/internal/store"
)

// Printed is how a page that goes to paper says who took it there.
type Printed struct {
	Code string    `json:"code"`
	At   time.Time `json:"at"`
	By   string    `json:"by"`
}

// Print notes that a reader takes what they may see of a case to paper. Paper
// leaves every lock behind, so the log says so before the printer is asked.
func (s *Service) Print(ctx context.Context, r Reader, stream, record string) (Printed, error) {
	r.Purpose = "print"
	var out Printed
	err := s.open(ctx, r, "case.print", stream, func(_ *store.Tx, _ *journal.Opener, _ standing, _ []journal.Tier, c *Case) error {
		if record != "" && c.Records[record] == nil {
			return fault.Absent()
		}
		out = Printed{Code: c.Code, At: s.now(), By: s.nameOf(ctx, r.User)}
		return nil
	})
	return out, err
}
