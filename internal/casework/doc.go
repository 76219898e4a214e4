// Package casework is the work for one child: what a case worker uses all day.
//
// A case is a stream of entries; everything this package says of it (status,
// risk, clocks, tasks, consents, approvals, disputes) is a fold over them, the
// same for the same entries in whatever order they arrived. What must be known
// quickly for many cases stands in projections, which hold codes, clocks and
// pointers in clear and names only sealed.
//
// # The status of a case
//
//	contact → screened → consent → registered → assessed → planned → in_service → follow_up → closed
//	                                   ↑            ↑          ↑          ↑   ↖______/         │
//	                                   │            └ reassess ┴──────────┘  (back to service) │
//	                                   └──────────────────────── reopen ───────────────────────┘
//
// The states, the moves between them and what each needs are content
// (content/casework.yaml): a move not in that table does not exist. Moves
// marked automatic happen when their needs are met; the others are made by a
// person. Deadlines are content too (content/clocks.yaml).
//
// # What holds here
//
//   - An open legal matter keeps a case from being closed.
//   - Registration needs consent, or an override with its legal basis, which
//     starts a clock for the supervisor.
//   - Nobody approves what he wrote. An approval is of one exact version: when
//     the record is amended after it, it falls.
//   - Where two people answered one question differently, both answers stand
//     until a person settles it.
//   - Nothing of a person is opened but through journal.Read, which writes who
//     read what before the answer leaves.
//   - What is denied and what is not there look the same.
package casework
