package anonymity_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	session "github.com/mentalverse/session"
	"github.com/mentalverse/session/anonymous"
)

// alone is a crowd of one, who has signed in anonymously.
func alone(t *testing.T, before func(*crowd)) *crowd {
	t.Helper()
	c := newCrowd(t, rand.New(rand.NewPCG(1, 1)), 1, false, nil)
	stop := c.run()
	c.enter()
	before(c)
	c.openAnonymously(c.people[0], 0)
	stop()
	return c
}

// intoBucket waits until some time after the beginning of five minutes.
func intoBucket(d time.Duration) {
	time.Sleep(time.Until(time.Now().Truncate(anonymous.Coarse).Add(anonymous.Coarse + d)))
}

// After an unclean end an anonymous session is given some time, too; and what is
// stored of that tells nothing finer than five minutes.
func TestAnUncleanEndTellsNoFineTime(t *testing.T) {
	for _, late := range []time.Duration{time.Minute + 7*time.Second, 8 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := alone(t, func(*crowd) { intoBucket(42 * time.Second) })
			defer c.store.Close()
			id := c.people[0].anonymous.Session.ID
			before, err := c.store.Session(t.Context(), id)
			c.must(err)
			c.open() // and killed
			time.Sleep(late)
			c.open()
			stop := c.run()
			time.Sleep(2 * time.Minute)
			stop()
			row, err := c.store.Session(t.Context(), id)
			c.must(err)
			if !row.LastActivity.Equal(row.LastActivity.Truncate(anonymous.Coarse)) {
				t.Errorf("activity at %s", row.LastActivity)
			}
			if crossed := late > anonymous.Coarse; row.LastActivity.After(before.LastActivity) != crossed || row.LastActivity.After(time.Now()) {
				t.Errorf("%s after the end: activity was at %s, and is at %s", late, before.LastActivity, row.LastActivity)
			}
		})
	}
}

// A step's moment is needed for two minutes, but not by a session that has ended.
// No ended row is written again.
func TestAnEndForgetsTheMomentOfTheLastStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := alone(t, func(*crowd) { intoBucket(42 * time.Second) })
		defer c.store.Close()
		stop := c.run()
		defer stop()
		id := c.people[0].anonymous.Session.ID
		stepped := func() time.Time {
			row, err := c.store.Session(t.Context(), id)
			c.must(err)
			return row.SteppedAt
		}
		next, err := c.Refresh(t.Context(), c.people[0].anonymous.RefreshToken, "")
		c.must(err)
		if at := stepped(); at.Equal(at.Truncate(anonymous.Coarse)) {
			t.Fatalf("stepped at %s: the test shows nothing", at)
		}
		c.must(c.Logout(t.Context(), next.SessionToken, session.Secret{}, ""))
		if at := stepped(); !at.Equal(at.Truncate(anonymous.Coarse)) {
			t.Errorf("ended, and stepped at %s", at)
		}
	})
}

// How long a token lives is its client's wish, and an odd one would be a mark.
func TestAnAnonymousTokenLivesForWholeFiveMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := alone(t, func(*crowd) {})
		defer c.store.Close()
		stop := c.run()
		defer stop()
		for asked, want := range map[time.Duration]time.Duration{
			10 * time.Minute: 10 * time.Minute, 617 * time.Second: 10 * time.Minute, 899 * time.Second: 10 * time.Minute, 0: 4 * time.Hour,
		} {
			c.openAnonymously(c.people[0], asked)
			row, err := c.store.Session(t.Context(), c.people[0].anonymous.Session.ID)
			c.must(err)
			if row.TokenLife != want || !row.ExpiresAt.Equal(row.CreatedAt.Add(want)) {
				t.Errorf("asked for %s: %s, until %s", asked, row.TokenLife, row.ExpiresAt)
			}
		}
	})
}

// The log's lines have a fine time. So an alarm about a session names it only if
// it is nobody's pseudonym's.
func TestAnAlarmNamesNoAnonymousSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := alone(t, func(*crowd) {})
		stop := c.run()
		for _, tokens := range []*session.Tokens{&c.people[0].known, &c.people[0].anonymous} {
			next, err := c.Refresh(t.Context(), tokens.RefreshToken, "")
			c.must(err)
			*tokens = next
		}
		stop()
		c.must(c.store.Close())
		c.goBack()
		for _, tokens := range []session.Tokens{c.people[0].known, c.people[0].anonymous} {
			if _, err := c.Refresh(t.Context(), tokens.RefreshToken, ""); session.CodeOf(err) != session.CodeRefreshFailed {
				t.Errorf("a token of the future: %v", err)
			}
		}
		c.must(c.store.Close())
		log := c.log.String()
		if strings.Count(log, "store_rollback") != 2 || !strings.Contains(log, c.people[0].known.Session.ID.String()) {
			t.Errorf("the alarm did not come: %s", log)
		}
		if strings.Contains(log, "anon_") {
			t.Errorf("the log names a session: %s", log)
		}
	})
}
