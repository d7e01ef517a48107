package session

import "context"

// FollowCuts is what Run does in each beat.
func (s *Service) FollowCuts(ctx context.Context) error { return s.followCuts(ctx) }
