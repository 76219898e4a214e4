package register

// Which cells of a shown table stay hidden.
//
// What is promised, for all tables that the page can show of one source, at one
// time, together:
//
//   - every count of 1 to threshold − 1 persons is hidden or stands in a larger
//     line, totals too; so is, where a person can have several values, a count
//     that leaves 1 to threshold − 1 persons of its line;
//   - whoever knows everything that a table shows, and the totals of all tables,
//     can place no hidden count in a range narrower than threshold − 2, which is
//     what its being hidden says already ("1 to 10");
//   - a total is the same in every table that has it, so that tables of different
//     pairs that share a variable add nothing to each other.
//
// Zero is nobody's count and is shown, unless a cell cannot be protected
// otherwise: then any hidden count may be 0.
//
// What is not promised, since the page is for a signed-in statistician and is
// not a publication:
//
//   - the same table today and tomorrow: the difference is the cases that were
//     written in between, and may be one. Who knows which child came yesterday
//     can read that child's codes. Only release tables --against protects figures
//     of different days;
//   - three tables in a circle (a by b, b by c, c by a): a joint table behind all
//     three can restrict a hidden count further;
//   - an attacker who knows that a cell must be empty (nobody under 6 is married)
//     where zeros were hidden to protect others;
//   - case groups: a count of 11 may be one family.

import "banyan/internal/disclosure/suppress"

// hide gives the hidden cells of a table with its totals in the last row and
// column. A person may stand in several rows, or columns, where these are multi.
func hide(n [][]int64, multiRows, multiCols bool, threshold int64) ([][]bool, error) {
	last, end := len(n)-1, len(n[0])-1
	g := suppress.Grid{Cols: n[last][:end], Total: n[last][end]}
	few := func(count int64) bool { return count > 0 && count < threshold }
	for _, line := range n[:last] {
		primary := make([]bool, end)
		for j, count := range line[:end] {
			rest := multiRows && few(g.Cols[j]-count) || multiCols && few(line[end]-count)
			primary[j] = few(count) || count > 0 && rest
		}
		g.N, g.Primary, g.Rows = append(g.N, line[:end]), append(g.Primary, primary), append(g.Rows, line[end])
	}
	return g.Hide(int(threshold) - 2)
}
