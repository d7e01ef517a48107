package session

import "context"

// FollowCuts is what Run does in each beat.
func (s *Service) FollowCuts(ctx context.Context) error { return s.followCuts(ctx) }

// Names is whether a rule is about a session.
func Names(c *Cut, s *Session) bool { return c.names(s) }
