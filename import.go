package session

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Bounds of a file of licences, in lines without its header. One commit holds up
// every sign-in while it lasts, so all or nothing is for smaller files.
const (
	MaxImportLines  = 100_000
	MaxImportAtOnce = 10_000
)

// importBatch is how many entries share a commit.
const importBatch = 256

// ImportRow is one line of a file of licences, as text. Lines are one
// professional's if they share Person, a licence or an account. A licence may
// have several lines, each with another account.
type ImportRow struct {
	Line   int    // its number in the file
	Person string // a stable word of whoever made the file; may be empty

	Number, Authority, Jurisdiction, Status string
	ValidUntil                              string // see ParseValidUntil
	Chain, Address                          string // of an account; both may be empty
}

// Imported is what became of a line.
type Imported string

// What becomes of lines. A line of which nothing is done for another's sake
// tells what it would do.
const (
	ImportAdded     Imported = "added"     // a licence that was not there
	ImportChanged   Imported = "changed"   // the licence, or its holder's accounts
	ImportUnchanged Imported = "unchanged" // it was all there
	ImportRefused   Imported = "refused"
)

// ImportLine is a line's outcome.
type ImportLine struct {
	Line         int
	Did          Imported
	Professional string // whose it is; empty where refused
	Why          string // where refused
}

// ImportReport is what an import did, line by line.
type ImportReport struct {
	Committed bool // false: nothing was done
	Lines     []ImportLine
}

// Count returns how many lines had an outcome.
func (r *ImportReport) Count(of Imported) (n int) {
	for i := range r.Lines {
		if r.Lines[i].Did == of {
			n++
		}
	}
	return n
}

// ImportProfessionals brings the registry to what the rows say. They are read to
// the end before anything is done; an error among them is the answer. A licence
// or an account that is in the registry finds its holder, so a file can be
// imported again, and what it does not name stays. Refused lines are left out;
// allOrNothing does nothing then, and else all in one commit.
//
// No row lifts a suspension or a revocation: a file of yesterday would undo what
// an operator did today.
func (s *Service) ImportProfessionals(ctx context.Context, rows iter.Seq2[ImportRow, error], allOrNothing bool, by Act) (ImportReport, error) {
	if err := by.check(); err != nil {
		return ImportReport{}, err
	}
	most := MaxImportLines
	if allOrNothing {
		most = MaxImportAtOnce
	}
	m := &importing{Service: s, by: by}
	for row, err := range rows {
		if err != nil {
			return ImportReport{}, err
		}
		if len(m.lines) == most {
			return ImportReport{}, Refuse(CodeInvalidRequest, fmt.Sprintf("A file has at most %d lines, and %d for all or nothing: import it in parts.", MaxImportLines, MaxImportAtOnce), nil)
		}
		m.lines = append(m.lines, m.read(row))
	}
	m.contradictions()
	groups := m.groups()
	do := m.inBatches
	if allOrNothing {
		do = m.atOnce
	}
	committed, err := do(ctx, groups)
	if err != nil {
		return ImportReport{}, unavailable(err)
	}
	out := ImportReport{Committed: committed, Lines: make([]ImportLine, len(m.lines))}
	for i := range m.lines {
		out.Lines[i] = m.lines[i].ImportLine
	}
	return out, nil
}

// importing is one import.
type importing struct {
	*Service
	by    Act
	lines []importedLine
}

type importedLine struct {
	ImportLine
	row     ImportRow
	licence Licence
	account Account
}

func (l *importedLine) refuse(format string, args ...any) {
	if l.Did != ImportRefused {
		l.Did, l.Professional, l.Why = ImportRefused, "", strings.TrimSuffix(fmt.Sprintf(format, args...), ".")
	}
}

// read makes of a row what it says, or refuses it.
func (m *importing) read(row ImportRow) importedLine {
	l := importedLine{ImportLine: ImportLine{Line: row.Line}, row: row}
	until, err := ParseValidUntil(row.ValidUntil)
	l.licence = Licence{Number: row.Number, Authority: row.Authority, Jurisdiction: row.Jurisdiction, Status: LicenceStatus(row.Status), ValidUntil: until}
	for _, f := range []struct{ name, value string }{
		{"number", row.Number}, {"authority", row.Authority}, {"jurisdiction", row.Jurisdiction}, {"status", row.Status},
		{"valid_until", row.ValidUntil}, {"chain", row.Chain}, {"address", row.Address}, {"person", row.Person},
	} {
		if f.value != "" && strings.ContainsRune("=+-@", rune(f.value[0])) {
			l.refuse("%s begins like a formula of a spreadsheet", f.name)
			return l
		}
	}
	if err != nil {
		l.refuse("%s", CodeMessage(err))
		return l
	}
	if row.Person != "" && !isPlainText(row.Person, maxLicenceField) {
		l.refuse("person is at most %d bytes of printable text without spaces around it", maxLicenceField)
		return l
	}
	p := Registrant{Licences: []Licence{l.licence}}
	if row.Chain != "" || row.Address != "" {
		l.account = Account{Chain: Chain(row.Chain), Address: row.Address}
		p.Accounts = []Account{l.account}
	}
	if err := p.Check(); err != nil {
		l.refuse("%s", CodeMessage(err))
	} else if !l.account.IsZero() {
		if _, err := m.verifier.Ask(Challenge{Type: Professional, Account: l.account}); err != nil {
			l.refuse("%s", CodeMessage(err))
		}
	}
	return l
}

// contradictions refuses lines that are there twice, and all lines of a licence
// about which they disagree, refused ones included: the one that suspends it may
// be the one that is misspelt.
func (m *importing) contradictions() {
	same, first, disputed := map[ImportRow]int{}, map[string]int{}, map[string][2]int{}
	for i := range m.lines {
		l := &m.lines[i]
		row := l.row
		row.Line = 0
		if other, ok := same[row]; ok {
			l.refuse("the same as line %d", other)
			continue
		}
		same[row] = l.Line
		key := l.licence.Key()
		at, ok := first[key]
		if !ok {
			first[key] = i
		} else if !m.lines[at].licence.same(&l.licence) {
			disputed[key] = [2]int{m.lines[at].Line, l.Line}
		}
	}
	if len(disputed) == 0 {
		return
	}
	for i := range m.lines {
		if pair, ok := disputed[m.lines[i].licence.Key()]; ok {
			m.lines[i].refuse("lines %d and %d say different things of this licence", pair[0], pair[1])
		}
	}
}

// same reports whether two licences with one key say the same.
func (l *Licence) same(other *Licence) bool {
	return l.Jurisdiction == other.Jurisdiction && l.Status == other.Status && l.ValidUntil.Equal(other.ValidUntil)
}

// importGroup are the lines of one professional.
type importGroup []*importedLine

// refuse refuses all lines.
func (g importGroup) refuse(format string, args ...any) {
	for _, l := range g {
		l.refuse(format, args...)
	}
}

// strangers returns two lines that name different persons.
func (g importGroup) strangers() (a, b *importedLine) {
	for _, l := range g {
		switch {
		case l.row.Person == "":
		case a == nil:
			a = l
		case a.row.Person != l.row.Person:
			return a, l
		}
	}
	return nil, nil
}

// groups puts the lines together that are one professional's, in the order of
// the file.
func (m *importing) groups() (out []importGroup) {
	parent := make([]int, len(m.lines))
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	seen := map[string]int{}
	for i := range m.lines {
		parent[i] = i
		l := &m.lines[i]
		if l.Did == ImportRefused {
			continue
		}
		names := []string{"licence:" + l.licence.Key()}
		if l.row.Person != "" {
			names = append(names, "person:"+l.row.Person)
		}
		if !l.account.IsZero() {
			names = append(names, "account:"+l.account.String())
		}
		for _, name := range names {
			if other, ok := seen[name]; ok {
				a, b := root(other), root(i)
				parent[max(a, b)] = min(a, b)
			} else {
				seen[name] = i
			}
		}
	}
	at := map[int]int{}
	for i := range m.lines {
		if m.lines[i].Did == ImportRefused {
			continue
		}
		r := root(i)
		if _, ok := at[r]; !ok {
			at[r] = len(out)
			out = append(out, nil)
		}
		out[at[r]] = append(out[at[r]], &m.lines[i])
	}
	return slices.DeleteFunc(out, func(g importGroup) bool {
		a, b := g.strangers()
		if a != nil {
			g.refuse("lines %d and %d name two persons, and a licence or an account joins them", a.Line, b.Line)
		}
		return a != nil
	})
}

// holder returns the entry that the registry has of a group, or a zero one. A
// group that is several entries' is refused.
func (m *importing) holder(ctx context.Context, g importGroup) (p Registrant, ok bool, err error) {
	several := false
	see := func(found Registrant, err error) error {
		switch {
		case errors.Is(err, ErrNotFound):
			return nil
		case err != nil:
			return err
		case p.ID != "" && p.ID != found.ID:
			several = true
			g.refuse("the registry has two professionals here: %s and %s", min(p.ID, found.ID), max(p.ID, found.ID))
		default:
			p = found
		}
		return nil
	}
	for i, l := range g {
		if i == 0 || l.licence.Key() != g[i-1].licence.Key() {
			if err := see(m.store.LicenceHolder(ctx, l.licence.Authority, l.licence.Number)); err != nil {
				return p, false, err
			}
		}
		if !l.account.IsZero() {
			if err := see(m.store.ProfessionalOf(ctx, l.account)); err != nil {
				return p, false, err
			}
		}
	}
	return p, !several, nil
}

// importTask is a group and the entry that the registry has of it, or a zero one.
type importTask struct {
	group  importGroup
	before Registrant
}

// plan decides what a group does to its entry, and notes it in its lines. The
// change is of nobody where there is nothing to do.
func (m *importing) plan(ctx context.Context, task importTask) (Change, error) {
	g, before := task.group, task.before
	after := before.Clone()
	if after.ID == "" {
		after.ID = NewProfessionalID()
	}
	entry := Registrant{ID: after.ID, Version: before.Version, Accounts: before.Accounts, Licences: before.Licences}
	for _, l := range g {
		if l.Did == ImportRefused {
			continue
		}
		l.Did, l.Professional = ImportUnchanged, after.ID
		was := before.licence(l.licence.Key())
		switch {
		case was == nil:
			l.Did = ImportAdded
			if after.licence(l.licence.Key()) == nil {
				after.Licences = append(after.Licences, l.licence)
			}
		case was.lifted(l.licence.Status):
			l.refuse("the licence is %s: a file does not change that to %s", was.Status, l.licence.Status)
			continue
		case !was.same(&l.licence):
			l.Did = ImportChanged
			*after.licence(l.licence.Key()) = l.licence
		}
		if !l.account.IsZero() && !slices.Contains(after.Accounts, l.account) {
			after.Accounts = append(after.Accounts, l.account)
			if l.Did == ImportUnchanged {
				l.Did = ImportChanged
			}
		}
	}
	if !slices.ContainsFunc(g, func(l *importedLine) bool { return l.Did == ImportAdded || l.Did == ImportChanged }) {
		return Change{}, nil
	}
	after, err := m.entry(entry, after)
	if err != nil {
		g.refuse("%s", CodeMessage(err))
		return Change{}, nil
	}
	c := Change{Professionals: []Registrant{after}, Records: []Record{m.entryRecord(ActionImport, &before, &after, m.by)}}
	return c, m.endLost(ctx, &c, &before, &after)
}

// lifted reports whether a status would take back what only an act may.
func (l *Licence) lifted(to LicenceStatus) bool {
	return l.Status == LicenceRevoked && to != LicenceRevoked ||
		l.Status == LicenceSuspended && to != LicenceSuspended && to != LicenceRevoked
}

// tasks finds the entries of all groups, of which two may be one entry's.
func (m *importing) tasks(ctx context.Context, groups []importGroup) (out []importTask, err error) {
	at := map[string]int{}
	for _, g := range groups {
		p, ok, err := m.holder(ctx, g)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if i, twice := at[p.ID]; twice && p.ID != "" {
			both := slices.Concat(out[i].group, g)
			if a, b := both.strangers(); a != nil {
				g.refuse("lines %d and %d name two persons, and the registry has one: %s", a.Line, b.Line, p.ID)
			} else {
				out[i].group = both
			}
			continue
		}
		at[p.ID] = len(out)
		out = append(out, importTask{g, p})
	}
	return out, nil
}

// inBatches commits the changes of many groups at a time; those of an entry that
// somebody changed meanwhile are planned anew.
func (m *importing) inBatches(ctx context.Context, groups []importGroup) (bool, error) {
	for range maxAttempts {
		tasks, err := m.tasks(ctx, groups)
		if err != nil {
			return false, err
		}
		groups = nil
		for batch := range slices.Chunk(tasks, importBatch) {
			again, err := m.commitBatch(ctx, batch)
			if err != nil {
				return false, err
			}
			groups = append(groups, again...)
		}
		if len(groups) == 0 {
			return true, nil
		}
	}
	return false, errContention
}

// commitBatch returns the groups that came too late.
func (m *importing) commitBatch(ctx context.Context, batch []importTask) (late []importGroup, err error) {
	var changes []Change
	var of []importGroup
	for _, task := range batch {
		c, err := m.plan(ctx, task)
		if err != nil {
			return nil, err
		}
		if len(c.Professionals) > 0 {
			changes, of = append(changes, c), append(of, task.group)
		}
	}
	for i, err := range m.commitAll(ctx, changes...) {
		if errors.Is(err, ErrConflict) || errors.Is(err, ErrTaken) {
			late = append(late, of[i])
		} else if err != nil {
			return nil, err
		}
	}
	return late, nil
}

// atOnce commits everything as one change, or nothing where a line is refused.
func (m *importing) atOnce(ctx context.Context, groups []importGroup) (bool, error) {
	for range maxAttempts {
		tasks, err := m.tasks(ctx, groups)
		if err != nil {
			return false, err
		}
		var all Change
		for _, task := range tasks {
			c, err := m.plan(ctx, task)
			if err != nil {
				return false, err
			}
			all.Professionals, all.Update = append(all.Professionals, c.Professionals...), append(all.Update, c.Update...)
			all.Events, all.Records = append(all.Events, c.Events...), append(all.Records, c.Records...)
		}
		if slices.ContainsFunc(m.lines, func(l importedLine) bool { return l.Did == ImportRefused }) {
			return false, nil
		}
		if len(all.Professionals) == 0 {
			return true, nil
		}
		err = m.commit(ctx, all)
		if !errors.Is(err, ErrConflict) && !errors.Is(err, ErrTaken) {
			return err == nil, err
		}
	}
	return false, errContention
}
