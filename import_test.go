package session_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/wallet/icp"
)

// csv are rows as a file would have them, "number,authority,jurisdiction,status,valid_until,chain,address,person".
func csv(lines ...string) iter.Seq2[session.ImportRow, error] {
	return func(yield func(session.ImportRow, error) bool) {
		for i, line := range lines {
			f := append(strings.Split(line, ","), "", "", "")
			if !yield(session.ImportRow{Line: i + 2, Number: f[0], Authority: f[1], Jurisdiction: f[2], Status: f[3], ValidUntil: f[4], Chain: f[5], Address: f[6], Person: f[7]}, nil) {
				return
			}
		}
	}
}

func (h *house) imports(atOnce bool, lines ...string) session.ImportReport {
	h.t.Helper()
	r, err := h.ImportProfessionals(h.t.Context(), csv(lines...), atOnce, operator)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// did are the outcomes of a report, in one word each.
func did(r session.ImportReport) (out []string) {
	for _, l := range r.Lines {
		out = append(out, string(l.Did))
	}
	return out
}

func (h *house) wantDid(r session.ImportReport, want ...string) {
	h.t.Helper()
	if got := did(r); !slices.Equal(got, want) {
		h.t.Errorf("got %v, want %v: %+v", got, want, r.Lines)
	}
}

func (h *house) holder(number string) session.Registrant {
	h.t.Helper()
	p, err := h.LicenceHolder(h.t.Context(), "Board", number)
	if err != nil {
		h.t.Fatalf("licence %s: %v", number, err)
	}
	return p
}

func (h *house) entries() int {
	h.t.Helper()
	list, err := h.Professionals(h.t.Context(), "", 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(list)
}

// A file can be brought in again and again; what changed in it changes.
func TestAFileIsImportedAgain(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		h := newHouse(t)
		one, two := h.newAddress(), h.newAddress()
		file := []string{
			"1,Board,DE-BY,verified,2027-12-31,icp," + one,
			"1,Board,DE-BY,verified,2027-12-31,icp," + two,
			"2,Board,DE-BY,pending,2027-12-31T12:00:00+02:00,,,anna",
			"3,Board,US-CA,verified,2027-12-31,,,anna",
			"4,Board,DE-BY,verified,2027-12-31",
		}
		r := h.imports(atOnce, file...)
		h.wantDid(r, "added", "added", "added", "added", "added")
		p, anna := h.holder("1"), h.holder("2")
		if len(p.Accounts) != 2 || len(p.Licences) != 1 || !p.Licences[0].ValidUntil.Equal(time.Date(2028, 1, 1, 0, 0, 0, 0, time.UTC)) || r.Lines[1].Professional != p.ID {
			t.Errorf("%+v", p)
		}
		if len(anna.Licences) != 2 || anna.ID != h.holder("3").ID || !anna.Licences[0].ValidUntil.Equal(time.Date(2027, 12, 31, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", anna)
		}
		if n := h.entries(); n != 3 || !r.Committed {
			t.Errorf("%d entries", n)
		}
		records := h.records()
		trail, err := h.store.Records(t.Context(), 0, 10)
		if err != nil || len(trail) != 3 {
			t.Errorf("%d records of three entries, %v", len(trail), err)
		}
		for _, r := range trail {
			if r.Action != session.ActionImport || r.Actor != operator.Operator || r.Detail != operator.Reason {
				t.Errorf("%+v", r)
			}
		}
		h.wantDid(h.imports(atOnce, file...), "unchanged", "unchanged", "unchanged", "unchanged", "unchanged")
		if n := h.records(); n != records {
			t.Errorf("%d records of nothing", n-records)
		}

		// A known licence or account finds its holder, whatever else is new.
		file = []string{
			"1,Board,DE-BY,suspended,2027-12-31",
			"5,Board,DE-BY,verified,2027-12-31,icp," + two,
			"2,Board,DE-BY,verified,2027-12-31T10:00:00Z,,,someone",
			"6,Board,DE-BY,verified,2027-12-31,,,someone",
			"4,Board,DE-BE,verified,2027-12-31",
			"4,Board,DE-BE,verified,2027-12-31,icp," + h.newAddress(),
		}
		h.wantDid(h.imports(atOnce, file...), "changed", "added", "changed", "added", "changed", "changed")
		if p = h.holder("1"); p.ID != h.holder("5").ID || p.Licences[0].Status != session.LicenceSuspended || len(p.Accounts) != 2 {
			t.Errorf("%+v", p)
		}
		if anna = h.holder("6"); len(anna.Licences) != 3 {
			t.Errorf("%+v", anna)
		}
		if n := h.entries(); n != 3 {
			t.Errorf("%d entries", n)
		}
	}
}

func (h *house) newAddress() string {
	h.t.Helper()
	id, err := icp.NewIdentity()
	if err != nil {
		h.t.Fatal(err)
	}
	return id.Principal()
}

func (h *house) records() int {
	h.t.Helper()
	list, err := h.store.Records(h.t.Context(), 0, 1000)
	if err != nil {
		h.t.Fatal(err)
	}
	return len(list)
}

// What is wrong with a line is told, and the others do not suffer; with all or
// nothing they wait for it.
func TestABadLineIsToldAndLeftOut(t *testing.T) {
	h := newHouse(t)
	one, two := h.newAddress(), h.newAddress()
	h.imports(false, "90,Board,X,verified,2027-12-31,icp,"+one, "91,Board,X,verified,2027-12-31,icp,"+two)
	good := "1,Board,DE-BY,verified,2027-12-31"
	bad := map[string]struct {
		lines []string
		why   string
	}{
		"no number":           {[]string{",Board,X,verified,2027-12-31"}, "number"},
		"no authority":        {[]string{"2,,X,verified,2027-12-31"}, "authority"},
		"spaces":              {[]string{" 2,Board,X,verified,2027-12-31"}, "number"},
		"no such status":      {[]string{"2,Board,X,expired,2027-12-31"}, "status"},
		"no status":           {[]string{"2,Board,X,,2027-12-31"}, "status"},
		"no end":              {[]string{"2,Board,X,verified,"}, "valid_until"},
		"no such day":         {[]string{"2,Board,X,verified,2027-02-30"}, "valid_until"},
		"another order":       {[]string{"2,Board,X,verified,31.12.2027"}, "valid_until"},
		"half a second":       {[]string{"2,Board,X,verified,2027-12-31T10:00:00.5Z"}, "valid_until"},
		"too late":            {[]string{"2,Board,X,verified,9999-12-31"}, "valid_until"},
		"an address alone":    {[]string{"2,Board,X,verified,2027-12-31,,aaaaa-aa"}, "account"},
		"a chain alone":       {[]string{"2,Board,X,verified,2027-12-31,icp,"}, "account"},
		"no such chain":       {[]string{"2,Board,X,verified,2027-12-31,dogecoin,x"}, "chain"},
		"another spelling":    {[]string{"2,Board,X,verified,2027-12-31,icp," + strings.ToUpper(one)}, "canonical"},
		"a formula":           {[]string{"=1+1,Board,X,verified,2027-12-31"}, "formula"},
		"a plus":              {[]string{"2,+Board,X,verified,2027-12-31"}, "formula"},
		"a minus":             {[]string{"2,Board,-X,verified,2027-12-31"}, "formula"},
		"an at":               {[]string{"2,Board,X,verified,2027-12-31,,,@me"}, "formula"},
		"a long person":       {[]string{"2,Board,X,verified,2027-12-31,,," + strings.Repeat("x", 129)}, "person"},
		"twice":               {[]string{"2,Board,X,verified,2027-12-31", "2,Board,X,verified,2027-12-31"}, "the same as line 3"},
		"two statuses":        {[]string{"2,Board,X,verified,2027-12-31", "2,Board,X,suspended,2027-12-31"}, "lines 3 and 4 say different things"},
		"one misspelt":        {[]string{"2,Board,X,verified,2027-12-31", "2,Board,X,suspended,2027-12-31,icp,x"}, "say different things"},
		"two ends":            {[]string{"2,Board,X,verified,2027-12-31", "2,Board,X,verified,2028-12-31"}, "say different things"},
		"two persons":         {[]string{"2,Board,X,verified,2027-12-31,icp," + h.newAddress() + ",a", "2,Board,X,verified,2027-12-31,,,b"}, "lines 3 and 4 name two persons"},
		"one account of two":  {[]string{"2,Board,X,verified,2027-12-31,icp," + h.person.Principal() + ",a", "3,Board,X,verified,2027-12-31,icp," + h.person.Principal() + ",b"}, "name two persons"},
		"two of the registry": {[]string{"90,Board,X,verified,2027-12-31,icp," + two}, "the registry has two professionals here: lic_"},
		"joined by a person":  {[]string{"90,Board,X,verified,2027-12-31,,,a", "91,Board,X,verified,2027-12-31,,,a"}, "two professionals"},
		"joined by an entry":  {[]string{"90,Board,X,verified,2027-12-31,,,a", "7,Board,X,verified,2027-12-31,icp," + one + ",b"}, "name two persons"},
	}
	for i := range session.MaxLicences + 1 {
		c := bad["too many licences"]
		c.lines, c.why = append(c.lines, fmt.Sprintf("3%d,Board,X,verified,2027-12-31,,,a", i)), "1 to 20 licences"
		bad["too many licences"] = c
	}
	for name, c := range bad {
		before, records := h.entries(), h.records()
		r := h.imports(true, append([]string{good}, c.lines...)...)
		if r.Committed || h.entries() != before || h.records() != records {
			t.Errorf("%s: something was done of all or nothing: %v", name, did(r))
		}
		if r.Lines[0].Did == session.ImportRefused || !slices.ContainsFunc(r.Lines, func(l session.ImportLine) bool {
			return l.Did == session.ImportRefused && strings.Contains(l.Why, c.why) && l.Professional == ""
		}) {
			t.Errorf("%s: %+v", name, r.Lines)
		}
	}
	file := []string{good}
	for _, name := range []string{"a formula", "one misspelt"} {
		file = append(file, bad[name].lines...)
	}
	h.wantDid(h.imports(false, file...), "added", "refused", "refused", "refused")
	h.wantDid(h.imports(false, append([]string{good}, bad["two statuses"].lines...)...), "unchanged", "refused", "refused")
	h.wantDid(h.imports(false, append([]string{good}, bad["twice"].lines...)...), "unchanged", "added", "refused")
}

// A file takes a right away, and with it what stands on it, and never gives
// back what was taken.
func TestAFileLiftsNoSuspension(t *testing.T) {
	h := newHouse(t)
	line := func(status string) string {
		return "7,Board,DE-BY," + status + ",2027-12-31,icp," + h.person.Principal()
	}
	statuses := []string{"pending", "verified", "suspended", "revoked"}
	may := map[string][]string{"pending": statuses, "verified": statuses, "suspended": {"suspended", "revoked"}, "revoked": {"revoked"}}
	for _, from := range statuses {
		for _, to := range statuses {
			h := newHouse(t)
			h.imports(false, line(from))
			r := h.imports(false, line(to))
			want, refused := to, false
			if !slices.Contains(may[from], to) {
				want, refused = from, true
			}
			if got := h.holder("7").Licences[0].Status; string(got) != want || refused != (r.Count(session.ImportRefused) == 1) {
				t.Errorf("%s over %s: %s, %v", to, from, got, r.Lines)
			}
		}
	}
	for _, atOnce := range []bool{false, true} {
		h := newHouse(t)
		mine := "7,Board,DE-BY,verified,2027-12-31,icp," + h.person.Principal()
		h.imports(atOnce, mine)
		tokens := h.professional()
		h.imports(atOnce, mine)
		if _, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Glance); err != nil {
			t.Errorf("a file that changes nothing ended a session: %v", err)
		}
		h.imports(atOnce, strings.Replace(mine, "verified", "suspended", 1))
		_, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Glance)
		wantCode(t, err, session.CodeInvalid)
		if row, err := h.store.Session(t.Context(), tokens.Session.ID); err != nil || row.EndReason != session.EndLicenceChanged {
			t.Errorf("%s, %v", row.EndReason, err)
		}
	}
}

// Nothing is done for a file that cannot be read to its end, or is too long, or
// for an act without a reason.
func TestNothingIsDoneForAFileThatBreaksOff(t *testing.T) {
	h := newHouse(t)
	broken := errors.New("line 4 breaks off")
	_, err := h.ImportProfessionals(t.Context(), func(yield func(session.ImportRow, error) bool) {
		for row := range csv("1,Board,X,verified,2027-12-31") {
			yield(row, nil)
		}
		yield(session.ImportRow{}, broken)
	}, false, operator)
	if !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	_, err = h.ImportProfessionals(t.Context(), csv("1,Board,X,verified,2027-12-31"), false, session.Act{Operator: "op_a"})
	wantCode(t, err, session.CodeInvalidRequest)
	for atOnce, most := range map[bool]int{false: session.MaxImportLines, true: session.MaxImportAtOnce} {
		_, err = h.ImportProfessionals(t.Context(), licences(t, most+1, "verified"), atOnce, operator)
		wantCode(t, err, session.CodeInvalidRequest)
	}
	if h.entries() != 0 || h.records() != 0 {
		t.Error("something was done")
	}
}

// Two files at once, and whoever signs in and is suspended meanwhile: each line
// is true in the end, and no right outlives its licence.
func TestImportsAtOnce(t *testing.T) {
	h := newHouse(t)
	const people = 300 // more than share a commit
	file := func(jurisdiction string) (lines []string) {
		for i := range people {
			lines = append(lines, fmt.Sprintf("%d,Board,%s,verified,2027-12-31", i, jurisdiction))
		}
		return append(lines, "7000,Board,"+jurisdiction+",verified,2027-12-31,icp,"+h.person.Principal())
	}
	h.imports(false, file("A")...)
	tokens := h.professional()
	var wg sync.WaitGroup
	for _, j := range []string{"B", "C"} {
		wg.Go(func() {
			atOnce := j == "B"
			r, err := h.ImportProfessionals(t.Context(), csv(file(j)...), atOnce, operator)
			// Where the suspension came first, one line is refused.
			if refused := r.Count(session.ImportRefused); err != nil || refused > 1 || r.Committed != (refused == 0 || !atOnce) {
				t.Errorf("committed %t, %d refused, %v", r.Committed, refused, err)
			}
		})
	}
	wg.Go(func() {
		if _, err := h.ActOnLicence(t.Context(), "Board", "7000", session.LicenceSuspend, operator); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() { h.tryProfessional() })
	wg.Wait()
	if n := h.entries(); n != people+1 {
		t.Errorf("%d entries", n)
	}
	if p := h.holder("7000"); p.Licences[0].Status != session.LicenceSuspended {
		t.Errorf("a file lifted a suspension: %+v", p)
	}
	_, err := h.Validate(t.Context(), tokens.SessionToken, anything, session.Glance)
	wantCode(t, err, session.CodeInvalid)
}

// The trail says which fields a file changed, and none of their values.
func TestTheTrailNamesWhatWasChanged(t *testing.T) {
	h := newHouse(t)
	account := h.newAddress()
	changed := func() string {
		t.Helper()
		list, err := h.store.Records(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		last := list[len(list)-1]
		if last.Detail != operator.Reason {
			t.Errorf("the reason is %q", last.Detail)
		}
		return last.Changed
	}
	for _, c := range []struct{ line, want string }{
		{"1,Board,DE-BY,verified,2027-12-31,,,ada", "licences"},
		{"1,Board,DE-BY,verified,2028-12-31,,,ada", "valid_until"},
		{"1,Board,DE-BE,suspended,2028-12-31,,,ada", "jurisdiction status"},
		{"1,Board,DE-BE,suspended,2028-12-31,icp," + account + ",ada", "accounts"},
		{"1,Board,DE-BE,revoked,2027-01-31,icp," + account + ",ada", "status valid_until"},
	} {
		for _, atOnce := range []bool{false, true} { // the second finds nothing to do
			h.imports(atOnce, c.line)
			if got := changed(); got != c.want {
				t.Errorf("%s: %q, want %q", c.line, got, c.want)
			}
		}
	}
	h.imports(false, "1,Board,DE-BE,revoked,2027-01-31,,,ada", "2,Board,DE-BE,pending,2027-01-31,,,ada", "3,Board,DE-BE,pending,2027-01-31,icp,"+account+",ada")
	if got := changed(); got != "licences" {
		t.Errorf("%q", got)
	}
	if _, err := h.ActOnLicence(t.Context(), "Board", "2", session.LicenceVerify, operator); err != nil || changed() != "status" {
		t.Errorf("%q, %v", changed(), err)
	}
	h.raise()
	if _, err := h.ConfirmAll(t.Context(), operator); err != nil || changed() != "review" {
		t.Errorf("%q, %v", changed(), err)
	}
}
