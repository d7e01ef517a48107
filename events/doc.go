// Package events follows the store's two logs and tells what happened: to
// sockets, each of which listens for one session, and to services, which take
// the feed. One reader serves them all, so thousands who wait cost the store one
// look each time.
package events
